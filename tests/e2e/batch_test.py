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

import gguf_template
import serving
from batch_lines import check_shape, openai_schemas, request

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
REQUESTS, KILLS = 16, 3
GIVE_UP_S = 240


def check_replies(path):
    """Every reply is what OpenAI's clients expect; where it was asked for, with logprobs."""
    schemas = openai_schemas()
    for line in path.read_text().splitlines():
        told = json.loads(line)
        body = told["response"]["body"]
        if told["response"]["status_code"] != 200:
            continue
        if schemas:
            check_shape(body, schemas["CreateChatCompletionResponse"], schemas)
        for choice in body["choices"]:
            asked = told["custom_id"] in ("request-2", "request-5")
            assert (choice["logprobs"] is not None) == asked, told["custom_id"]
            if not asked:
                continue
            content = choice["logprobs"]["content"]
            said = b"".join(bytes(token["bytes"]) for token in content).decode()
            assert said == choice["message"]["content"], (said, choice)
            for token in content:
                tops = [top["logprob"] for top in token["top_logprobs"]]
                assert len(tops) == int(told["custom_id"][-1]), tops
                assert tops == sorted(tops, reverse=True) and token["logprob"] <= tops[0]
                named = [tuple(top["bytes"]) for top in token["top_logprobs"]]
                assert len(set(named)) == len(named), named
                if token["logprob"] > tops[-1]:
                    at = named.index(tuple(token["bytes"]))
                    assert tops[at] == token["logprob"], token


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
    return subprocess.Popen([BINARY, "batch", "-m", serving.ANY_MODEL, inside, outside],
                            stderr=subprocess.PIPE)


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


def check_other_requests(folder):
    """Each line goes where it says; without chats no chat template is needed."""
    model, inside = pathlib.Path(folder, "plain.gguf"), pathlib.Path(folder, "other.jsonl")
    gguf_template.copy(serving.ANY_MODEL, model, "")
    bodies = {"/v1/completions": {"prompt": ["The rain in", "A cat"], "max_tokens": 3},
              "/v1/embeddings": {"input": "rain"}}
    lines = [json.dumps({"custom_id": url, "method": "POST", "url": url, "body": body}) + "\n"
             for url, body in bodies.items()]
    half = {"custom_id": "half", "method": "POST", "url": "/v1/completions",
            "body": {"prompt": ["The rain in", "word " * 9000], "max_tokens": 500}}

    def run(name, text):
        inside.write_text(text)
        outside = pathlib.Path(folder, name)
        done = subprocess.run([BINARY, "batch", "-m", model, inside, outside], check=False,
                              stderr=subprocess.PIPE, timeout=GIVE_UP_S)
        return done, outside.read_text()
    done, told = run("other.out", "".join(lines) + json.dumps(half))
    assert done.returncode == 0, done.stderr
    ended = results(pathlib.Path(folder, "other.out"))
    assert ended["half"][0] == 400 and len(ended) == 3, ended  # though half of it was begun
    got = {one["custom_id"]: one["response"]["body"] for one in map(json.loads, told.splitlines())}
    assert [c["index"] for c in got["/v1/completions"]["choices"]] == [0, 1], got
    assert len(got["/v1/embeddings"]["data"][0]["embedding"]) > 8
    done, told = run("chats.out", "".join(lines) + json.dumps(request(1)))
    assert done.returncode == 65 and told == "" and b"no chat template" in done.stderr, done


def main():
    if not serving.ANY_MODEL.exists():
        print(f"batch: {serving.ANY_MODEL} is not here")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        check_other_requests(folder)
        inside = pathlib.Path(folder, "in.jsonl")
        alone, killed = pathlib.Path(folder, "alone.jsonl"), pathlib.Path(folder, "killed.jsonl")
        inside.write_text("".join(json.dumps(request(i)) + "\n" for i in range(REQUESTS)))
        finish(inside, alone)
        want = results(alone)
        check_replies(alone)
        assert len(want) == REQUESTS
        assert want["request-7"][0] == 400 and want["request-5"][0] == 200
        assert len(want["request-5"][1]) == 2
        for choice in want["request-9"][1]:
            assert choice["finish_reason"] == "stop", choice
            assert json.loads(choice["message"]["content"]) in ({"n": 9}, {"n": "nine"}), choice
        for choice in want["request-11"][1]:
            said = json.loads(choice["message"]["content"])
            assert said and said in "It is valid for three years.", choice
        assert want["request-10"][0] == 400 and "#/properties/a" in alone.read_text()

        kills = 0
        for i in range(1 if serving.LIGHT else KILLS):
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
