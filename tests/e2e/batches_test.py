#!/usr/bin/env python3
"""batches_test BINARY - /v1/files and /v1/batches: calls and refusals, a server killed with
SIGKILL again and again, cancelling, and who asks beside a batch."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import serving
from batch_lines import check_shape, openai_schemas, request
from serving import user

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
LIGHT = os.environ.get("COHORT_TEST_LIGHT") == "1"  # a sanitizer: one kill will do
REQUESTS, KILLS = 16, 3
GIVE_UP_S = 240
SCHEMAS = openai_schemas()
PYTHON = pathlib.Path(serving.CACHE, "clients/bin/python")
ENDED = ("completed", "failed", "cancelled")
CLIENT = """
import sys, time, openai
client = openai.OpenAI(base_url=f"http://127.0.0.1:{sys.argv[1]}/v1", api_key="none")
with open(sys.argv[2], "rb") as file:
    kept = client.files.create(file=file, purpose="batch")
assert client.files.content(kept.id).read() == open(sys.argv[2], "rb").read()
assert client.files.retrieve(kept.id).purpose == "batch"
batch = client.batches.create(input_file_id=kept.id, endpoint="/v1/chat/completions",
                              completion_window="24h", metadata={"for": "a test"})
while batch.status not in ("completed", "failed", "cancelled"):
    time.sleep(0.05)
    batch = client.batches.retrieve(batch.id)
assert batch.status == "completed" and batch.metadata == {"for": "a test"}, batch
assert batch.id in [b.id for b in client.batches.list(limit=1)]
assert len([f for f in client.files.list(limit=1)]) >= 2
lines = client.files.content(batch.output_file_id).text.splitlines()
assert len(lines) == batch.request_counts.completed == 1, (lines, batch)
for name in (kept.id, batch.output_file_id):
    assert client.files.delete(name).deleted
try:
    client.files.retrieve(kept.id)
    assert False
except openai.NotFoundError:
    pass
print("openai", openai.__version__)
"""


def form(content, purpose="batch", name="in.jsonl"):
    """A body of multipart/form-data, and its header."""
    parts = [('name="purpose"', purpose.encode()),
             (f'name="file"; filename="{name}"', content)]
    body = b"".join(b'--cut\r\nContent-Disposition: form-data; ' + head.encode() + b"\r\n\r\n" +
                    value + b"\r\n" for head, value in parts) + b"--cut--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=cut"}


def shaped(name, value):
    if SCHEMAS:
        check_shape(value, SCHEMAS[name], SCHEMAS)
    return value


def upload(server, content, **more):
    status, _, file = server.post("/v1/files", *form(content, **more))
    assert status == 200, file
    return shaped("OpenAIFile", file)


def content(server, file_id):
    status, _, got = server.ask("GET", f"/v1/files/{file_id}/content")
    assert status == 200, got
    return got


def begin(server, file_id, **more):
    status, _, batch = server.post("/v1/batches", {
        "input_file_id": file_id, "endpoint": "/v1/chat/completions",
        "completion_window": "24h"} | more)
    assert status == 200, batch
    return shaped("Batch", batch)


def look(server, batch):
    status, _, now = server.ask("GET", f"/v1/batches/{batch['id']}")
    assert status == 200, now
    return shaped("Batch", now)


def wait_for(what):
    end = time.monotonic() + GIVE_UP_S
    while not what():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def wait_for_end(server, batch):
    wait_for(lambda: look(server, batch)["status"] in ENDED)
    return look(server, batch)


def lines_of(requests):
    return "".join(json.dumps(r) + "\n" for r in requests).encode()


def answers(server, batch):
    """custom_id -> (status, choices), out of both files; one that comes twice is a failure."""
    found = {}
    for name in ("output_file_id", "error_file_id"):
        for line in content(server, batch[name]).splitlines() if name in batch else []:
            told = json.loads(line)
            assert told["custom_id"] not in found, f"{told['custom_id']} comes twice"
            response = told["response"]
            assert (response["status_code"] == 200) == (name == "output_file_id"), told
            found[told["custom_id"]] = (response["status_code"], response["body"].get("choices"))
    return found


def test_files(server):
    file = upload(server, b"\x00\r\n--cu\r\n\xff", purpose="user_data", name="bytes; of.bin")
    assert (file["bytes"], file["filename"]) == (10, "bytes; of.bin"), file
    assert content(server, file["id"]) == b"\x00\r\n--cu\r\n\xff"
    assert server.ask("GET", f"/files/{file['id']}")[2] == file
    second = upload(server, b"")
    status, _, some = server.ask("GET", "/v1/files?limit=1")
    assert status == 200 and some["has_more"] and some["data"] == [second], some
    shaped("ListFilesResponse", some)
    rest = server.ask("GET", f"/v1/files?limit=1&after={some['last_id']}")[2]
    assert not rest["has_more"] and rest["data"] == [file], rest
    assert server.ask("GET", "/v1/files?purpose=user_data")[2]["data"] == [file]
    for one in (file, second):
        status, _, told = server.ask("DELETE", f"/v1/files/{one['id']}")
        assert status == 200 and shaped("DeleteFileResponse", told)["deleted"], told
        assert server.ask("GET", f"/v1/files/{one['id']}")[0] == 404
        assert server.ask("GET", f"/v1/files/{one['id']}/content")[0] == 404
    assert server.ask("GET", "/v1/files")[2]["data"] == []


def test_refusals(server):
    json_type = {"Content-Type": "application/json"}
    for body, headers in ((b"{}", json_type), form(b"x", purpose=""),
                          (form(b"x")[0][:-9], form(b"x")[1]), form(b"x", purpose="batch_output")):
        status, _, got = server.post("/v1/files", body, headers)
        assert status == 400 and got["error"]["message"], (body, got)
    for path in ("/v1/files/x", "/v1/files/file-0000000000000000", "/v1/batches/batch_1",
                 "/v1/batches/batch_0000000000000000", "/v1/files/file-ffffffffffffffff"):
        assert server.ask("GET", path)[0] == 404, path
    assert server.ask("DELETE", "/v1/files/x")[0] == 404
    assert server.post("/v1/batches/batch_x/cancel", None)[0] == 404
    other = upload(server, b"x", purpose="user_data")["id"]
    good = {"input_file_id": upload(server, b"x")["id"], "endpoint": "/v1/chat/completions",
            "completion_window": "24h"}
    for name, value in (("input_file_id", "file-1"), ("input_file_id", other),
                        ("input_file_id", None), ("endpoint", "/v1/nothing"),
                        ("completion_window", "1h"), ("metadata", []), ("metadata", {"a": 1}),
                        ("metadata", {"a": "x" * 513}),
                        ("metadata", {str(i): "" for i in range(17)})):
        status, _, got = server.post("/v1/batches", good | {name: value})
        assert status == 400 and got["error"]["param"] == name, (name, value, got)
    for limit in ("0", "-1", "1001", "99999999999", "x"):
        status, _, got = server.ask("GET", f"/v1/batches?limit={limit}")
        assert status == 400 and got["error"]["param"] == "limit", got


def test_bad_inputs(server):
    twice = lines_of([request(1), request(1)])
    for text, line, word in ((b"", None, "no line"), (twice, 2, "comes twice"),
                             (lines_of([request(1)]) + b"\n{", 3, "JSON"),
                             (lines_of([request(1) | {"url": "/v1/x"}]), 1, "url")):
        batch = wait_for_end(server, begin(server, upload(server, text)["id"]))
        error = batch["errors"]["data"][0]
        assert batch["status"] == "failed" and batch["failed_at"], batch
        assert error["line"] == line and word in error["message"], batch
        assert "output_file_id" not in batch and "error_file_id" not in batch


OTHERS = {
    "/v1/completions": [
        {"prompt": ["The rain in", "A cat"], "echo": True, "logprobs": 1, "max_tokens": 3},
        {"prompt": "The rain in", "max_tokens": 0, "echo": True, "logprobs": 0},
        {"prompt": "The rain in", "max_tokens": 0},
        {"prompt": "The rain in", "n": 2, "max_tokens": 3, "seed": 4, "temperature": 1},
        {"prompt": "The rain in", "suffix": "Spain"},
        {"prompt": ["The rain in", "word " * 9000]}],
    "/v1/embeddings": [{"input": ["rain", "a cat"]}, {"input": "rain", "encoding_format": "base64"},
                       {"input": []}],
    "/v1/responses": [{"input": "Say a word about rain.", "max_output_tokens": 4},
                      {"input": "a", "text": {"format": {"type": "json_schema", "schema": 5}}}],
    "/v1/chat/completions": [
        {"messages": [{"role": "user", "content": "a"}], "response_format": {
            "type": "json_schema", "json_schema": {"name": "n", "schema": {"type": 5}}}},
        {"messages": [{"role": "user", "content": "a"}], "tools": [
            {"type": "function", "function": {"name": "f"}}]}]}


def said_of(body):
    """What does not differ from one time to the next."""
    if "output" in body:
        return body["status"], [item["content"] for item in body["output"]]
    return [body.get(name) for name in ("choices", "data", "error", "object")] + [
        body.get("usage", {}).get(name) for name in ("prompt_tokens", "completion_tokens")]


def test_other_requests(server):
    """A line of each endpoint is answered as the same request by itself; all of one batch go to
    one endpoint."""
    for path, bodies in OTHERS.items():
        asked = [{"model": "m", "temperature": 0} | body for body in bodies]
        lines = lines_of({"custom_id": str(i), "method": "POST", "url": path, "body": body}
                         for i, body in enumerate(asked))
        batch = begin(server, upload(server, lines)["id"], endpoint=path)
        ended = wait_for_end(server, batch)
        assert ended["status"] == "completed" and ended["endpoint"] == path, ended
        told = {}
        for name in ("output_file_id", "error_file_id"):
            for line in content(server, ended[name]).splitlines() if name in ended else []:
                one = json.loads(line)
                told[one["custom_id"]] = one["response"]
        assert len(told) == len(asked), told
        for i, body in enumerate(asked):
            status, _, alone = server.post(path, body)
            one = told[str(i)]
            assert one["status_code"] == status, (path, body, one)
            assert said_of(one["body"]) == said_of(alone), (path, body, one, alone)
            assert status == 200 or alone["error"]["param"], (path, body, alone)
    mixed = lines_of([request(1), request(2) | {"url": "/v1/embeddings", "body": {"input": "a"}}])
    error = wait_for_end(server, begin(server, upload(server, mixed)["id"]))["errors"]["data"][0]
    assert error["line"] == 2 and "in a batch of /v1/chat/completions" in error["message"], error


def test_beside(server):
    """Who asks is answered while a batch runs; a file in use stays; cancelling ends it."""
    long = [request(i) | {"custom_id": str(i)} for i in range(200) if i % 16 not in (7, 9, 10, 11)]
    for line in long:
        line["body"] |= {"max_tokens": 2000, "ignore_eos": True}
    file = upload(server, lines_of([request(0)] + long))
    batch = begin(server, file["id"], metadata={"a": "b"})
    wait_for(lambda: look(server, batch)["request_counts"]["completed"] > 0)
    waiting = begin(server, file["id"])
    assert server.ask("DELETE", f"/v1/files/{file['id']}")[0] == 409
    status, _, reply = server.post("/v1/chat/completions", user("Say a word about rain."))
    assert status == 200 and reply["usage"]["completion_tokens"] == 8, reply
    assert look(server, batch)["status"] == "in_progress"
    status, _, told = server.ask("POST", f"/v1/batches/{batch['id']}/cancel")
    assert status == 200 and shaped("Batch", told)["status"] in ("cancelling", "cancelled"), told
    server.post(f"/v1/batches/{waiting['id']}/cancel", None)
    ended = wait_for_end(server, batch)
    assert ended["status"] == "cancelled" and ended["cancelled_at"], ended
    assert ended["metadata"] == {"a": "b"}, ended
    counts = ended["request_counts"]
    assert counts["total"] == len(long) + 1 and 0 < counts["completed"] < len(long), counts
    assert len(answers(server, ended)) == counts["completed"] + counts["failed"]
    assert wait_for_end(server, waiting)["status"] == "cancelled"
    again = server.ask("POST", f"/v1/batches/{batch['id']}/cancel")[2]
    assert again == ended, again
    listed = server.ask("GET", "/v1/batches?limit=2")[2]
    assert [b["id"] for b in shaped("ListBatchesResponse", listed)["data"]] == [
        waiting["id"], batch["id"]] and listed["has_more"], listed


def test_client(server):
    if not PYTHON.exists():
        print(f"skipped: OpenAI's client, {PYTHON} is missing")
        return
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(lines_of([request(1)]))
        file.flush()
        said = subprocess.run([PYTHON, "-c", CLIENT, str(server.port), file.name], text=True,
                              capture_output=True, timeout=GIVE_UP_S, check=False)
    assert said.returncode == 0, said.stderr
    print(said.stdout.strip())


def test_second_server(server):
    """Another one on the same state answers, but has no batches."""
    with serving.Server(BINARY) as second:
        assert any("another process has it" in line for line in second.lines), second.lines
        assert second.ask("GET", "/v1/files")[0] == 503
        assert second.post("/v1/chat/completions", user("Hello."))[0] == 200
    assert server.ask("GET", "/v1/files")[0] == 200
    state = os.environ["COHORT_STATE"]
    os.environ["COHORT_STATE"] = "/proc/nothing"
    with serving.Server(BINARY) as third:
        assert any("no files and batches" in line for line in third.lines), third.lines
        assert third.post("/v1/batches", {})[0] == 503
    os.environ["COHORT_STATE"] = state


def alone(folder, lines):
    """What `cohort batch` makes of the same lines."""
    inside, outside = pathlib.Path(folder, "in.jsonl"), pathlib.Path(folder, "out.jsonl")
    inside.write_bytes(lines)
    subprocess.run([BINARY, "batch", "-m", serving.ANY_MODEL, "--precision", "int8", inside, outside],
                   check=True, stderr=subprocess.DEVNULL, timeout=GIVE_UP_S)
    told = [json.loads(line) for line in outside.read_text().splitlines()]
    return {t["custom_id"]: (t["response"]["status_code"], t["response"]["body"].get("choices"))
            for t in told}


def kill(server):
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(GIVE_UP_S)


def test_kills(folder):
    lines = lines_of([request(i) for i in range(REQUESTS)])
    want, batch, kills, seen = alone(folder, lines), None, 0, 0
    for i in range(1 if LIGHT else KILLS):
        server = serving.Server(BINARY)
        batch = batch or begin(server, upload(server, lines)["id"])
        least = (i + 1) * REQUESTS // (KILLS + 1)

        def done():
            counts = look(server, batch)["request_counts"]
            return counts["completed"] + counts["failed"]
        assert done() >= seen, "an answer is lost"
        wait_for(lambda: done() >= least)
        seen = done()
        kills += look(server, batch)["status"] == "in_progress"
        kill(server)
    with serving.Server(BINARY):  # ends well in the midst of it
        pass
    with serving.Server(BINARY) as server:
        batch = wait_for_end(server, batch)
        got = answers(server, batch)
        assert got == want, [k for k in want if got.get(k) != want[k]]
        counts = batch["request_counts"]
        assert batch["status"] == "completed" and counts["total"] == REQUESTS, batch
        assert counts["failed"] == sum(code != 200 for code, _ in want.values()) == 2, counts
        order = [json.loads(line)["custom_id"]
                 for line in content(server, batch["output_file_id"]).splitlines()]
        assert order == sorted(order, key=lambda name: int(name.split("-")[1])), order
    assert kills > 0, "no kill came in the midst of it"
    print(f"batches: {REQUESTS} requests, {kills} kills, results those of `cohort batch`")


def main():
    if not serving.ANY_MODEL.exists():
        print("the demo model is missing; see tools/scripts/setup")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COHORT_STATE"] = folder
        with serving.Server(BINARY) as server:
            for test in (test_files, test_refusals, test_bad_inputs, test_other_requests,
                         test_beside, test_client,
                         test_second_server):
                test(server)
                print("ok", test.__name__)
        test_kills(folder)
        print("ok test_kills")


main()
