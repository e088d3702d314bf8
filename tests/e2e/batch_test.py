#!/usr/bin/env python3
"""batch_test BINARY - cohort batch: killed with SIGKILL again and again, the results are those
of a run left alone, each once."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
CACHE = os.environ.get("COHORT_CACHE") or os.path.expanduser("~/.cache/cohort")
MODEL = pathlib.Path(CACHE, "models/SmolLM2-135M-Instruct.Q4_1.gguf")
REQUESTS, KILLS = 16, 3
GIVE_UP_S = 240


def request(i):
    body = {"model": "demo", "max_tokens": 4 + i,
            "messages": [{"role": "system", "content": "You are brief."},
                         {"role": "user", "content": f"Say a word about the number {i}."}]}
    if i % 3 == 0:
        body["temperature"] = 0
    if i % 5 == 0:
        body["n"] = 2
    if i == 7:
        body["n"] = 1000  # refused, as a result of its own
    return {"custom_id": f"request-{i}", "method": "POST", "url": "/v1/chat/completions",
            "body": body}


def results(path):
    """custom_id -> (status, choices); a line that is torn or comes twice is a failure."""
    found = {}
    for line in path.read_text().splitlines():
        told = json.loads(line)
        assert told["custom_id"] not in found, f"{told['custom_id']} comes twice"
        response = told["response"]
        found[told["custom_id"]] = (response["status_code"], response["body"].get("choices"))
    return found


def whole_lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def start(inside, outside):
    return subprocess.Popen([BINARY, "batch", inside, outside], stderr=subprocess.PIPE)


def kill_after(inside, outside, lines):
    """Kills a run once the output has so many lines; False when it ended before that."""
    process = start(inside, outside)
    begun = time.monotonic()
    while whole_lines(outside) < lines:
        if process.poll() is not None:
            assert process.returncode == 0, process.stderr.read()
            return False
        assert time.monotonic() - begun < GIVE_UP_S, "no progress"
        os.sched_yield()
    process.send_signal(signal.SIGKILL)
    process.wait()
    return True


def finish(inside, outside):
    process = start(inside, outside)
    said = process.communicate(timeout=GIVE_UP_S)[1].decode()
    assert process.returncode == 0, said
    return said


def main():
    if not MODEL.exists():
        print(f"batch: {MODEL} is not here")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        inside = pathlib.Path(folder, "in.jsonl")
        alone, killed = pathlib.Path(folder, "alone.jsonl"), pathlib.Path(folder, "killed.jsonl")
        inside.write_text("".join(json.dumps(request(i)) + "\n" for i in range(REQUESTS)))
        finish(inside, alone)
        want = results(alone)
        assert len(want) == REQUESTS
        assert want["request-7"][0] == 400 and want["request-5"][0] == 200
        assert len(want["request-5"][1]) == 2

        kills = 0
        for i in range(KILLS):
            kills += kill_after(inside, killed, (i + 1) * REQUESTS // (KILLS + 1))
        with killed.open("ab") as file:  # as a kill in the midst of a write leaves it
            file.write(b'{"id":"batch_req_torn","custom_id":"request-1')
        said = finish(inside, killed)
        got = results(killed)
        assert got == want, [k for k in want if got.get(k) != want[k]]
        assert "torn line dropped" in said and kills > 0, said
        again = finish(inside, killed)
        assert f"0 answered, 0 refused, {REQUESTS} done before" in again, again
        print(f"batch: {REQUESTS} requests, {kills} kills, results equal; {said.strip()}")
    return 0


sys.exit(main())
