#!/usr/bin/env python3
"""page_test BINARY - the server's page in headless Chromium: a chat, a MinionS run to its end with
a citation opened at its place, the server's state. A picture of each is kept in the folder
$COHORT_PICTURES, if that is set."""

import os
import pathlib
import sys
import tempfile

import browser
import serving

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
QUESTION = "How long must a written offer for source code be valid?"
FACTS = [f"Paragraph {i}. The harbour of Ostby has {i} cranes and {i * 3} moorings.\n\n"
         for i in range(1, 60)]
OFFER = "The written offer for source code must be valid for at least three years.\n\n"


def chat(page, pictures):
    page.type("#chat-text", "Say a word about rain.")
    page.run("document.getElementById('chat-n').value = 2; document.getElementById('chat-max').value = 24;")
    page.click("#chat-go")
    page.wait("return [...document.querySelectorAll('.answer footer')].length === 2 && "
              "[...document.querySelectorAll('.answer footer')].every(f => /length|stop/.test(f.textContent))")
    said = page.run("return [...document.querySelectorAll('.answer .text')].map(t => t.textContent)")
    assert all(said), said
    page.picture(pictures / "chat.png")
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
    page.picture(pictures / "minions.png")


def state(page, pictures):
    page.click("#tab-state")
    page.wait("return [...document.querySelectorAll('.chart b')].every(b => b.textContent)")
    page.wait("return CHARTS[0].points.length >= 3")
    page.picture(pictures / "state.png")


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


main()
