#!/usr/bin/env python3
"""runs_test BINARY - runs outlive their process: killed anywhere, gone on with, listed, shown."""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

MODEL = pathlib.Path("../shared/data/models/stories260K/stories260K.gguf")
SKIPPED, KILLS = 77, 12
TEXT = "".join(f"Ship {n} left at {n} o'clock with {n * 7} barrels of oil.\n\n" for n in range(400))


def call(binary, *words, state, **more):
    env = dict(os.environ, COHORT_STATE=str(state))
    return subprocess.run([binary, *words], capture_output=True, text=True, env=env, timeout=300,
                          **more)


def ask(binary, state, *words):
    done = call(binary, "ask", "-m", str(MODEL), "--json", *words, state=state)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def kill_after(binary, state, seconds, *words):
    """Whether the run was cut off."""
    env = dict(os.environ, COHORT_STATE=str(state))
    child = subprocess.Popen([binary, "ask", "-m", str(MODEL), *words], env=env,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        child.wait(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return True


def newest(binary, state):
    runs = json.loads(call(binary, "runs", "--json", state=state).stdout)
    return runs[0] if runs else None


def check_times(ledger):
    """Every part is told of, and no time is in two of them."""
    times = ledger["times"]
    assert set(times) == {f"{part}_s" for part in (
        "read", "load", "remote", "parse", "chunk", "schedule", "model", "journal", "aggregate")}
    assert all(seconds >= 0 for seconds in times.values()), times
    assert 0 < sum(times.values()) <= ledger["seconds"], ledger


def changed_document(binary, state, paper, words):
    """A run is not gone on with over another text."""
    before = newest(binary, state)["run"]
    for seconds in (0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.24, 0.32):
        kill_after(binary, state, seconds, *words)
        run = newest(binary, state)
        if run["run"] > before and run["state"] == "unfinished":
            paper.write_text(TEXT + "More.\n")
            done = call(binary, "ask", "--resume", str(run["run"]), state=state)
            assert done.returncode == 65 and "documents have changed" in done.stderr, done
            return
    print("note: no run was cut off after it had begun; a changed document was not tried")


def main():
    if not MODEL.exists():
        print(f"skipped: needs {MODEL}")
        return SKIPPED
    binary = sys.argv[1]
    random.seed(1)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        paper, state = folder / "ships.txt", folder / "state"
        paper.write_text(TEXT)
        words = ["-f", str(paper), "How many barrels had ship 311?"]
        assert call(binary, "runs", state=state).stdout.startswith("no runs yet")
        whole = ask(binary, state, *words)
        assert whole["run"] == 1
        check_times(whole["ledger"])
        cut = resumed = 0
        for _ in range(KILLS):
            cut += kill_after(binary, state, random.uniform(0.005, 0.3), *words)
            run = newest(binary, state)
            if run["state"] == "answered":
                continue
            resumed += 1
            again = ask(binary, state, "--resume", str(run["run"]))
            assert again["answer"] == whole["answer"], (again["answer"], whole["answer"])
            assert again["citations"] == whole["citations"]
            assert again["ledger"]["jobs"] == whole["ledger"]["jobs"]
        print(f"{KILLS} runs: {cut} killed, {resumed} of them had begun and were gone on with")
        shown = call(binary, "runs", "show", "1", state=state).stdout
        for part in ("How many barrels", "round 1:", "def prepare_jobs", "nothing left the machine",
                     whole["answer"][:20]):
            assert part in shown, (part, shown)
        done = call(binary, "ask", "--resume", "1", state=state)
        assert done.returncode == 65 and "was answered" in done.stderr, done
        changed_document(binary, state, paper, words)
    return 0


sys.exit(main())
