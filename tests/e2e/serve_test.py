#!/usr/bin/env python3
"""serve_test BINARY - cohort serve: chats whole and streamed, refusals, clients that leave, and
what is said while the model is loaded."""

import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import loading
import serving
from serving import user, wait_for

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
CHAT = "/v1/chat/completions"


def test_paths(server):
    for path in ("/health", "/v1/health", "/api/v1/health"):
        status, _, body = server.ask("GET", path)
        assert (status, body) == (200, {"status": "ok"}), (path, status, body)
    status, _, models = server.ask("GET", "/v1/models")
    assert status == 200 and len(models["data"]) == 2, models
    name = models["data"][0]["id"]
    assert server.ask("GET", "/models/" + name.replace(" ", "%20"))[2]["id"] == name
    assert models["data"][1]["id"] == name + ":joboutput"
    assert server.ask("GET", "/v1/models/other")[0] == 404
    assert server.ask("GET", CHAT)[0] == 405
    assert server.ask("GET", "/nothing")[0] == 404
    assert server.ask("GET", "/ping")[2] == b"pong"
    document = server.ask("GET", "/openapi.json")[2]
    schema = document["paths"][CHAT]["post"]["requestBody"]["content"]["application/json"]
    assert schema["schema"]["properties"]["temperature"]["maximum"] == 2


def test_methods(server):
    """HEAD is GET without a body; what else is served at a path is told to who asks or errs."""
    for path in ("/", "/health", "/v1/models", "/v1/files/none"):
        got = server.ask("GET", path)
        status, headers, body = server.ask("HEAD", path, headers={})
        assert (status, body) == (got[0], b""), (path, status, body)
        for name in ("Content-Type", "Content-Length"):
            assert headers[name] == got[1][name], (path, name)
    for path, allowed in [("/", "GET, HEAD, OPTIONS"), (CHAT, "POST, OPTIONS"),
                          ("/v1/files", "GET, HEAD, POST, OPTIONS"), ("/minions", "POST, OPTIONS"),
                          ("/api/v1/files/a", "GET, HEAD, DELETE, OPTIONS")]:
        status, headers, body = server.ask("OPTIONS", path)
        assert (status, headers["Allow"], body) == (204, allowed, b""), (path, status, body)
        status, headers, body = server.ask("PATCH", path)
        assert (status, headers["Allow"]) == (405, allowed), (path, status, body)
        assert body["error"]["message"] == f"method: this path serves {allowed}", body
    for method in ("GET", "POST", "OPTIONS", "PATCH"):
        status, headers, body = server.ask(method, "/nothing")
        assert status == 404 and "Allow" not in headers, (method, status)
        assert body["error"]["type"] == "not_found_error", body


def test_page_is_sent_once(server):
    status, headers, page = server.ask("GET", "/")
    assert status == 200 and page.startswith(b"<!doctype html>"), page[:40]
    assert "default-src 'none'" in headers["Content-Security-Policy"], headers
    tag = headers["ETag"]
    status, headers, page = server.ask("GET", "/", headers={"If-None-Match": tag})
    assert (status, page) == (304, b"") and headers["ETag"] == tag, (status, page[:40])
    assert server.ask("GET", "/", headers={"If-None-Match": '"other"'})[0] == 200


def test_whole_and_stream_are_one_text(server):
    status, _, whole = server.post(CHAT, user("Say a word about rain.", logprobs=True))
    assert status == 200, whole
    text = whole["choices"][0]["message"]["content"]
    assert whole["usage"]["completion_tokens"] == 8
    events = server.events(CHAT, user("Say a word about rain.", stream=True,
                                      stream_options={"include_usage": True}))
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    said = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks if c["choices"])
    assert said == text, (said, text)
    assert chunks[-1]["usage"]["completion_tokens"] == 8
    assert chunks[-2]["choices"][0]["finish_reason"] == "length"


def test_several_answers(server):
    _, _, reply = server.post(CHAT, user("Name a colour.", n=3, temperature=1, seed=5))
    assert [c["index"] for c in reply["choices"]] == [0, 1, 2]
    _, _, again = server.post(CHAT, user("Name a colour.", n=3, temperature=1, seed=5))
    assert [c["message"] for c in reply["choices"]] == [c["message"] for c in again["choices"]]


def test_refusals_name_the_field(server):
    cases = [({"temperature": 3}, "temperature"), ({"n": 0}, "n"), ({"stop": 5}, "stop"),
             ({"messages": []}, "messages"), ({"max_tokens": "x"}, "max_tokens"),
             ({"logit_bias": []}, "logit_bias"), ({"tools": [{}]}, "tools"),
             ({"response_format": {"type": "json_schema"}}, "response_format")]
    for fields, name in cases:
        status, _, body = server.post(CHAT, user("x") | fields)
        assert status == 400 and body["error"]["param"] == name, (fields, status, body)
    status, _, body = server.post(CHAT, b"{")
    assert status == 400 and body["error"]["message"].startswith("body: "), body
    status, _, body = server.post(CHAT, user("word " * 9000))
    assert status == 400 and re.search(r"\b\d+ tokens, the context has room for \d+$",
                                      body["error"]["message"]), body


def test_tokens_there_and_back(server):
    _, _, there = server.post("/tokenize", {"content": "It rains in Zürich.",
                                            "add_special_tokens": False})
    assert there["count"] == len(there["tokens"]) > 3, there
    _, _, back = server.post("/detokenize", {"tokens": there["tokens"]})
    assert back["content"] == "It rains in Zürich.", back
    status, _, body = server.post("/detokenize", {"tokens": [1, 10**6]})
    assert status == 400 and body["error"]["param"] == "tokens", body


def test_metrics(server):
    text = server.ask("GET", "/metrics")[2].decode()
    values = dict(re.findall(r"^([a-z_:]+)\{model_name=\"[^\"]*\"\} (\S+)$", text, re.M))
    assert float(values["vllm:generation_tokens_total"]) > 0, text
    assert float(values["vllm:time_to_first_token_seconds_count"]) > 0, text
    assert values["cohort:flights"] == "0", text


def once(pairs):
    """An object whose keys each stand once."""
    assert len(pairs) == len(dict(pairs)), pairs
    return dict(pairs)


def test_minions(server):
    """A question about documents: the answer and its citation, whole and as events."""
    offer = "The written offer for source code must be valid for at least three years."
    about = 6 if os.environ.get("COHORT_TEST_LIGHT") == "1" else 30
    text = "The harbour has four cranes. " * about + offer + " The moorings are twelve. " * about
    body = {"question": "How long must a written offer for source code be valid?",
            "documents": [{"name": "a.txt", "text": text},
                          {"name": "b.txt", "base64": base64.b64encode(b"Nothing here.").decode()}]}
    status, _, whole = server.post("/minions", body)
    assert status == 200 and "three years" in whole["answer"], whole
    first = whole["citations"][0]
    assert text[first["offset"]:first["offset"] + len(first["text"])] == first["text"] == offer
    assert first["place"] == "a.txt line 1" and whole["ledger"]["sent_bytes"] == 0, whole
    status, headers, got = server.post("/minions", body | {"stream": True})
    assert status == 200 and headers["Content-Type"] == "text/event-stream"
    events = [part.split("\n", 1) for part in got.decode().split("\n\n") if part]
    names = [name.removeprefix("event: ") for name, _ in events]
    assert names[0] == "documents" and names[-1] == "result" and "progress" in names, names
    data = [json.loads(rest.removeprefix("data: "), object_pairs_hook=once) for _, rest in events]
    plans = [d for name, d in zip(names, data) if name == "plan"]
    assert all(set(d["tasks"]) == {str(job["task"]) for job in d["jobs"]} for d in plans), plans
    planned = [job["job"] for name, d in zip(names, data) if name == "plan" for job in d["jobs"]]
    judged = [job["job"] for name, d in zip(names, data) if name == "judged" for job in d["jobs"]]
    assert planned == judged == list(range(len(planned))) and planned, (planned, judged)
    assert data[-1]["answer"] == whole["answer"]


def test_minions_refuses_by_name(server):
    document = [{"name": "a", "text": "It rains."}]
    cases = [({}, "question"), ({"question": "x"}, "documents"), ({"question": 5}, "question"),
             ({"question": "x", "documents": [{"name": "a"}]}, "documents"),
             ({"question": "x", "documents": [{"name": "a", "base64": "!"}]}, "documents"),
             ({"question": "x", "documents": document, "rounds": 9}, "rounds"),
             ({"question": "x", "documents": document, "worker": "lazy"}, "worker"),
             ({"question": "x", "documents": document, "chunks": 5}, "chunks"),
             ({"question": "x", "documents": document, "supervisor": "remote"}, "supervisor")]
    for body, name in cases:
        status, _, got = server.post("/minions", body)
        assert status == 400 and got["error"]["param"] == name, (body, status, got)
    for base64_text, why in (("!", "malformed"), ("", "no text")):
        _, _, got = server.post("/minions", {"question": "x", "documents": [
            {"name": "a", "base64": base64_text}]})
        assert why in got["error"]["message"], got


def curl(server, *words):
    done = subprocess.run(["curl", "-sS", *words[1:], f"http://localhost:{server.port}{words[0]}"],
                          capture_output=True, timeout=serving.GIVE_UP_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def test_curl(server):
    """As README.md has it: no header is given, so curl says that its JSON is a form."""
    readme = pathlib.Path(__file__).parents[2].joinpath("README.md").read_text()
    shown = dict(re.findall(r"^curl localhost:8080(\S+) -d '(.*)'$", readme, re.M))
    assert set(shown) == {CHAT, "/api/chat", "/minions"}, shown
    asked = json.loads(shown[CHAT]) | {"max_tokens": 8, "temperature": 0}
    said = json.loads(curl(server, CHAT, "-d", json.dumps(asked)))["choices"][0]["message"]["content"]
    assert said == server.post(CHAT, user("Hello"))[2]["choices"][0]["message"]["content"]
    streamed = curl(server, CHAT, "-N", "-d", json.dumps(asked | {"stream": True}))
    assert streamed.endswith("data: [DONE]\n\n"), streamed
    asked = json.loads(shown["/api/chat"]) | {"options": {"num_predict": 8, "temperature": 0}}
    lines = [json.loads(line) for line in curl(
        server, "/api/chat", "-d", json.dumps(asked)).splitlines()]
    assert len(lines) > 2 and lines[-1]["done"], lines
    assert "".join(line["message"]["content"] for line in lines) == said
    told = json.loads(curl(server, "/minions", "-d", shown["/minions"]))
    assert told["answer"], told
    assert json.loads(curl(server, "/nowhere"))["error"]["message"]


def test_gate(server):
    assert server.ask("GET", "/health", headers={"Host": "evil.example"})[0] == 403
    assert server.ask("GET", "/health", headers={"Origin": "http://evil.example"})[0] == 403
    own = f"127.0.0.1:{server.port}"
    headers = {"Host": own, "Origin": f"http://{own}"}
    assert server.ask("GET", "/health", headers=headers)[0] == 200


def test_who_leaves_is_cancelled(server):
    """Streamed or held, at once or in mid-answer: the engine is free again, nothing is kept."""
    long = {"max_tokens": 4000, "ignore_eos": True}
    server.post(CHAT, user("warm up"))
    before, aborted = (server.descriptors(), server.threads()), server.finished("abort")
    for _ in range(4):
        server.cut(CHAT, user("Count to a million.", **long), after=0)
        server.cut(CHAT, user("Count to a million.", stream=True, **long), after=1500)
    status, _, reply = server.post(CHAT, user("Say a word about rain."))
    assert status == 200, reply
    wait_for(lambda: server.finished("abort") == aborted + 8)  # none came to its own end
    # before may have counted a connection that was about to be closed
    wait_for(lambda: server.descriptors() <= before[0] and server.threads() <= before[1])


def test_keys(binary):
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys:
        keys.write("# ours\nsecret-1\nsecret-2\n")
        keys.flush()
        server = serving.Server(binary, "--api-keys", keys.name, "--requests", "4")
    with server:
        assert server.ask("GET", "/health")[0] == 200
        for headers, want in (({}, 401), ({"Authorization": "Bearer secret"}, 401),
                              ({"Authorization": "Bearer secret-2"}, 200),
                              ({"X-Api-Key": "secret-1"}, 200)):
            status, _, body = server.ask("GET", "/v1/models", headers=headers)
            assert status == want, headers
            assert want == 200 or "Authorization: Bearer" in body["error"]["message"], body
        # A request that is refused holds no place of those that its key may hold.
        key = {"X-Api-Key": "secret-1"}
        for _ in range(5):
            assert server.post(CHAT, user("x", n=0), key)[0] == 400
        assert server.post(CHAT, user("x"), key)[0] == 200


def test_refused_are_counted(binary):
    """Who asks for more than a key's share is told so, and is in the numbers."""
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys:
        keys.write("one\ntwo\n")
        keys.flush()
        server = serving.Server(binary, "--api-keys", keys.name, "--requests", "4")
    one, two = {"Authorization": "Bearer one"}, {"Authorization": "Bearer two"}

    def refused():
        text = server.ask("GET", "/metrics", headers=two)[2].decode()
        return float(re.search(r"^cohort:http_refused_total\{[^}]*\} (\S+)$", text, re.M)[1])
    with server:
        assert refused() == 0
        held = [server.hold(CHAT, user("Count.", stream=True, max_tokens=6000, ignore_eos=True),
                            one) for _ in range(2)]
        for count in (1, 2):
            assert server.post(CHAT, user("Say a word."), one)[0] == 429
            assert refused() == count
        assert server.post(CHAT, user("Say a word."), two)[0] == 200
        for connection in held:
            connection.close()


def test_loading(binary):
    """The port is open before the model is: who waits is told so, and nothing is answered."""
    if not serving.TINY.exists():
        print("part test_loading skipped: no test data")
        return
    with loading.Loading(binary) as server:
        for path in ("/health", "/v1/health"):
            status, _, body = server.ask("GET", path)
            assert (status, body) == (503, {"status": "loading"}), (path, status, body)
        assert server.ask("GET", "/ping")[2] == b"pong"
        assert server.ask("GET", "/")[0] == 200
        for method, path in (("POST", CHAT), ("GET", "/v1/models"), ("GET", "/metrics")):
            status, _, body = server.ask(method, path, user("x") if method == "POST" else None)
            assert status == 503 and "loaded" in body["error"]["message"], (path, status, body)
        server.load()
        wait_for(lambda: server.ask("GET", "/health")[0] == 200)
        assert server.post(CHAT, user("x"))[0] == 200


def test_loading_is_cut_off(binary):
    """A signal does not wait for the model."""
    if not serving.TINY.exists():
        print("part test_loading_is_cut_off skipped: no test data")
        return
    with loading.Loading(binary):
        pass


APART = (test_keys, test_refused_are_counted, test_loading,
         test_loading_is_cut_off)  # with servers of their own


def main():
    if not serving.ANY_MODEL.exists():
        print("the demo model is missing; see tools/scripts/setup")
        sys.exit(77)
    with serving.Server(BINARY) as server:
        for name, test in list(globals().items()):
            if name.startswith("test_") and test not in APART:
                test(server)
                print("ok", name)
    for test in APART:
        test(BINARY)
        print("ok", test.__name__)


main()
