#!/usr/bin/env python3
"""documents_test BINARY - folders and PDFs as people give them, without a model.

`cohort dsl` reads documents as `cohort ask` does, and its program here makes a job of each: a
chunk for each page, and a task with the page's first words. So what is read, in which order,
and where it lies can be seen whole.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

DATA = pathlib.Path(os.environ.get("COHORT_TEST_DATA", "../shared/data"))
PROGRAM = """
def prepare_jobs(context, prev_job_manifests=None, prev_job_outputs=None):
    jobs = []
    for document in context:
        for page in document.split("\\f"):
            if page.strip():
                jobs.append(JobManifest(chunk=page, task="page", advice=""))
    return jobs

def transform_outputs(jobs):
    return ""
"""
DOCX = ('<w:document><w:body><w:p><w:r><w:t>first</w:t><w:br w:type="page"/></w:r></w:p>'
        '<w:p><w:r><w:t>second</w:t></w:r></w:p></w:body></w:document>')


def run(binary, folder, *paths, stdin=None, env=None):
    words = [word for path in paths for word in ("-f", str(path))]
    return subprocess.run([binary, "dsl", "--json", *words, str(folder / "program.py")],
                          capture_output=True, text=True, input=stdin, check=False, timeout=300,
                          env=env)


def pages(done):
    assert done.returncode == 0, done
    return [job["chunk"] for job in json.loads(done.stdout)["jobs"]]


def make_tree(folder):
    tree = folder / "tree"
    for name in ("notes/deep", "out", ".git"):
        (tree / name).mkdir(parents=True)
    (tree / ".gitignore").write_text("out/\n*.tmp\n")
    (tree / "notes/b.md").write_text("# B\r\n\r\nmarked\r\n", newline="")
    (tree / "notes/deep/a.html").write_text("<title>T</title><p>a &lt; b<script>x</script>")
    (tree / "notes/latin.txt").write_bytes(b"caf\xe9")
    (tree / "notes/x.tmp").write_text("ignored")
    (tree / "notes/picture").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tree / "out/y.txt").write_text("ignored")
    (tree / "loop").symlink_to(tree)
    os.mkfifo(tree / "pipe")
    with zipfile.ZipFile(tree / "word.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", DOCX)
    return tree


def check_folder(binary, folder):
    done = run(binary, folder, make_tree(folder))
    assert pages(done) == ["# B\n\nmarked\n", "# T\n\na < b", "caf\u00e9", "first",
                           "\n\nsecond\n\n"], done.stdout
    assert "latin.txt: byte 3 is not UTF-8; read as Windows-1252\n" in done.stderr, done
    assert ("4 files read; passed over: 1 hidden, 2 named in .gitignore, 1 of a kind that is not "
            "read, 1 symbolic link, 1 pipe, socket or device\n") in done.stderr, done


def check_refusals(binary, folder):
    done = run(binary, folder, folder / "tree/notes/picture")
    assert done.returncode == 65 and "picture: it is a PNG image" in done.stderr, done
    done = run(binary, folder, folder / "tree/pipe")
    assert done.returncode == 65 and "it is a named pipe" in done.stderr, done
    done = run(binary, folder, "-", stdin="from the pipe")
    assert pages(done) == ["from the pipe"], done


def check_pdf(binary, folder):
    samples = sorted((DATA / "longdoc/pdf_samples").glob("*.pdf"))
    bare = {**os.environ, "PATH": "/nonexistent"}
    (folder / "small.pdf").write_bytes(b"%PDF-1.4\n")
    done = run(binary, folder, folder / "small.pdf", env=bare)
    assert done.returncode == 66 and "install poppler-utils" in done.stderr, done
    if not shutil.which("pdftotext") or not samples:
        print("skipped: pages of PDFs: needs pdftotext (poppler-utils) and the test data")
        return
    done = run(binary, folder, folder / "small.pdf")
    assert done.returncode == 65 and "damaged PDF" in done.stderr, done
    for sample in samples:
        found = pages(run(binary, folder, sample))
        for number, page in enumerate(found, 1):
            wanted = subprocess.run(
                ["pdftotext", "-layout", "-enc", "UTF-8", "-f", str(number), "-l", str(number),
                 sample, "-"], capture_output=True, check=True).stdout.decode()
            assert page.split() == wanted.split(), (sample, number)
        print(f"{sample.name}: {len(found)} pages are those of pdftotext")


def main():
    binary = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "program.py").write_text(PROGRAM)
        check_folder(binary, folder)
        check_refusals(binary, folder)
        check_pdf(binary, folder)
    return 0


sys.exit(main())
