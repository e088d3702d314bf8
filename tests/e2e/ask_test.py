#!/usr/bin/env python3
"""ask_test BINARY [STEP] - how often `cohort ask` cites the passage that answers.

questions.jsonl has questions of our own wording over the licences that every Debian machine
carries, each with words that the right passage contains. Every STEP-th is asked (default 6).
The bars are shares of those asked: the right passage first, and among the first three.
"""

import json
import os
import pathlib
import subprocess
import sys

FIRST_MIN, THREE_MIN, SKIPPED = 0.70, 0.85, 77
FOLDER = pathlib.Path("/usr/share/common-licenses")
CACHE = os.environ.get("COHORT_CACHE") or os.path.expanduser("~/.cache/cohort")
MODEL = pathlib.Path(CACHE, "models/SmolLM2-135M-Instruct.Q4_1.gguf")


def fold(text):
    return " ".join(text.split())


def place_of(binary, case):
    """Which citation holds the words: 0 is the first; None when none does."""
    path = FOLDER / case["document"]
    done = subprocess.run([binary, "ask", "--json", "--precision", "int8", "-f", str(path),
                           case["question"]],
                          capture_output=True, timeout=500, check=True)
    source, wanted = path.read_bytes(), fold(case["citation_contains"])
    found = None
    for index, citation in enumerate(json.loads(done.stdout)["citations"]):
        raw = citation["text"].encode()
        begin = citation["offset"]
        assert source[begin:begin + len(raw)] == raw, f"not verbatim: {citation}"
        if found is None and wanted in fold(citation["text"]):
            found = index
    return found


def main():
    if not MODEL.exists() or not FOLDER.is_dir():
        print(f"skipped: needs {MODEL.name} and {FOLDER}")
        return SKIPPED
    step = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    lines = pathlib.Path(__file__).with_name("questions.jsonl").read_text().splitlines()[::step]
    places = []
    for line in lines:
        case = json.loads(line)
        places.append(place_of(sys.argv[1], case))
        if places[-1] != 0:
            print(f"place {places[-1]}: {case['document']}: {case['question']}", flush=True)
    first = sum(place == 0 for place in places)
    three = sum(place is not None and place < 3 for place in places)
    print(f"asked {len(places)}: right passage first {first}, among the first three {three}")
    good = first >= FIRST_MIN * len(places) and three >= THREE_MIN * len(places)
    return 0 if good else 1


sys.exit(main())
