#!/usr/bin/env python3
"""page_test BINARY - the server's page in headless Chromium: a chat, a MinionS run to its end with
a citation opened at its place, the server's state; each as wide as a desk's screen and as narrow as
a phone's, where nothing may stick out. Pictures of them are kept in the folder $COHORT_PICTURES,
if that is set."""

import os
import pathlib
import sys
import tempfile

import browser
import loading
import serving

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
QUESTION = "How long must a written offer for source code be valid?"
FACTS = [f"Paragraph {i}. The harbour of Ostby has {i} cranes and {i * 3} moorings.\n\n"
         for i in range(1, 60)]
OFFER = "The written offer for source code must be valid for at least three years.\n\n"


WIDE, NARROW = (1280, 1000), (390, 844)


def take(page, pictures, name):
    """Pictures at both widths; at neither may the page be wider than the screen."""
    for size, suffix in ((NARROW, "-narrow"), (WIDE, "")):
        page.size(*size)
        page.wait(f"return innerWidth === {size[0]}")
        over = page.run(
            "const wide = document.documentElement.scrollWidth;"
            "return wide <= innerWidth ? [] : [wide, ...[...document.querySelectorAll('main *, header *')]"
            ".filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
            ".map(e => e.tagName + '#' + e.id + '.' + e.className).slice(0, 9)]")
        page.picture(pictures / f"{name}{suffix}.png")
        assert over == [], (name, size, over)


def chat(page, pictures):
    page.type("#chat-text", "Say a word about rain.")
    page.run("document.getElementById('chat-n').value = 2; document.getElementById('chat-max').value = 24;")
    page.click("#chat-go")
    page.wait("return [...document.querySelectorAll('.answer footer')].length === 2 && "
              "[...document.querySelectorAll('.answer footer')].every(f => /length|stop/.test(f.textContent))")
    said = page.run("return [...document.querySelectorAll('.answer .text')].map(t => t.textContent)")
    assert all(said), said
    take(page, pictures, "chat")
    page.run("document.getElementById('chat-n').value = 1")
    page.type("#chat-text", "And of snow?\n")  # Enter sends
    page.wait("return document.querySelectorAll('.turn').length === 2 && "
              "document.getElementById('chat-stop').hidden")
    assert page.text("#chat-error") == ""


def minions(page, pictures):
    page.click("#tab-minions")
    text = "".join(FACTS[:40]) + OFFER + "".join(FACTS[40:])
    page.run("document.getElementById('pasted').value = arguments[0]", text)
    page.type("#question", QUESTION)
    page.click("#run-go")
    page.wait("return document.getElementById('run-stop').hidden && "
              "(document.getElementById('final').textContent || document.getElementById('run-error').textContent)")
    assert page.text("#run-error") == "", page.text("#run-error")
    assert "three years" in page.text("#final"), page.text("#final")
    assert page.run("return document.querySelectorAll('.cell.grounded').length") > 0
    page.click(".cite")
    marked = page.run("return document.querySelector('#reader mark').textContent")
    assert "three years" in marked and marked.strip() in OFFER, marked
    assert "Nothing." in page.text("#left")
    take(page, pictures, "minions")
    page.size(*NARROW)  # there the document is far below: a click must bring it up
    page.run("scrollTo(0, 0); document.querySelector('.cite').click()")
    page.wait("const at = document.querySelector('#reader mark').getBoundingClientRect();"
              "return at.top >= 0 && at.bottom <= innerHeight")
    take(page, pictures, "citation")


def state(page, pictures):
    page.click("#tab-state")
    page.run("fetch('/v1/chat/completions', {method: 'POST', headers: headers(), body: JSON.stringify("
             "{messages: [{role: 'user', content: 'Count.'}], n: 4, max_tokens: 600, ignore_eos: true})})")
    page.wait("return CHARTS[0].points.some(p => p > 0) && CHARTS[2].points.includes(4)")
    page.wait("return [...document.querySelectorAll('.chart b')].every(b => b.textContent)")
    page.wait("return CHARTS[0].points.length >= 6")
    take(page, pictures, "state")


def loads(page):
    """Who opens the page before the model is there is told so, and then which one it is."""
    if not serving.TINY.exists():
        print("part loads skipped: no test data")
        return
    with loading.Loading(BINARY) as server:
        page.go(f"http://127.0.0.1:{server.port}/")
        page.wait("return document.getElementById('model').textContent.includes('loaded')")
        server.load()
        page.wait(f"return document.getElementById('model').textContent.includes('{server.folder.name}')")
    assert all("503" in told for told in page.complaints()), "of the replies before"
    print("ok loads")


def main():
    if not serving.MODEL.exists() or not browser.is_there():
        print("the demo model, chromium or chromedriver is missing; see tools/scripts/setup --check")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder, serving.Server(BINARY, model=serving.MODEL) as server, \
            browser.Browser() as page:
        pictures = pathlib.Path(os.environ.get("COHORT_PICTURES", folder))
        pictures.mkdir(parents=True, exist_ok=True)
        page.go(f"http://127.0.0.1:{server.port}/")
        page.wait("return document.getElementById('model').textContent.includes('135M')")
        for part in (chat, minions, state):
            part(page, pictures)
            print("ok", part.__name__)
        assert page.complaints() == [], page.complaints()
        loads(page)


main()
