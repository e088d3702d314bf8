#!/usr/bin/env python3
"""serve_fields_test BINARY [full] - every field of every endpoint, as /openapi.json has them, with
values that fit it and that do not: what the published schema takes is taken, what it excludes is
refused with 400 and the field's name, and the server lives. Fields that hold more than one value
are given with an example, whose every part is tried in the same way; a field or an endpoint that
is new and has no example here fails the test. `full` tries the large values everywhere, and what a
line of a batch may be, one batch each."""

import copy
import http.client
import json
import os
import pathlib
import re
import sys
import tempfile
import time

import serving

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
FULL = "full" in sys.argv[2:]
CHAT = "/v1/chat/completions"
REQUEST_S = 60


def nested(depth, leaf="1"):
    return "[" * depth + leaf + "]" * depth


PAGES = "a" * 8192  # more than a page of memory, and than the model's context
LONG = '"' + "a" * (1 << 20) + '"'
DEEP = nested(5000)
VALUES = ["null", "true", "false", "-1", "0", "1", "2147483648", "9007199254740992",
          "9223372036854775808", "-9223372036854775809", "1e308", "-1e308", "1e999", "0.5", '"NaN"',
          "NaN", '""', '"x"', '"\\u0000"', "[]", "[null]", "[[]]", "{}", '{"":{}}', '{"type":5}',
          '["a",5]', nested(200), DEEP, LONG]
FEW = ["null", "true", "-1", "2147483648", "1e308", '""', '"x"', "[]", "{}", f'"{PAGES}"']
PARTS = VALUES if FULL else FEW
if os.environ.get("COHORT_TEST_LIGHT") == "1":  # under a sanitizer
    VALUES, PARTS = FEW + ["NaN", nested(200)], ["null", "-1", '"x"', "{}"]
NO_JSON = {"NaN", "1e999", nested(200), DEEP}  # may be refused as a body, without a field's name

USER = [{"role": "user", "content": "a"}]
SCHEMA = {"type": "object", "properties": {"a": {"enum": ["b", 5]}}, "required": ["a"]}
TOOL = {"type": "function", "function": {
    "name": "f", "description": "It does.", "parameters": SCHEMA, "strict": True}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 5}'}}
TALK = [{"role": "system", "content": "a"}, {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "name": "f", "content": "a"},
        {"role": "user", "content": [{"type": "text", "text": "a"}]}]
FORMAT = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": SCHEMA}}
BLOCKS = [{"type": "text", "text": "a"}]
BARE = {"name": "f", "description": "It does.", "input_schema": SCHEMA}
ANTHROPIC = {
    "messages": [{"role": "user", "content": BLOCKS},
                 {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 5}}]},
                 {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": BLOCKS}]}],
    "tools": [BARE], "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "system": BLOCKS, "thinking": {"type": "disabled"},
    "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    "output_format": {"type": "json_schema", "schema": SCHEMA}, "stop_sequences": ["a", "b"]}
OLLAMA = {"format": SCHEMA, "options.stop": ["a", "b"], "tools": [TOOL], "messages": USER + [
    {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 5}}}]},
    {"role": "tool", "tool_name": "f", "content": "a"}] + USER}
DRAWN = {"stop": ["a", "b"], "logit_bias": {"5": -1, "7": 0.5},
         "stream_options": {"include_usage": True}}

# Of each endpoint a body that is taken, and an example of each field that holds several values.
ENDPOINTS = {
    CHAT: ({"messages": USER, "max_tokens": 1},
           DRAWN | {"messages": TALK, "response_format": FORMAT, "json_schema": SCHEMA,
                    "tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}}),
    "/v1/completions": ({"prompt": "a", "max_tokens": 1}, DRAWN | {"prompt": ["a", "b"]}),
    "/v1/embeddings": ({"input": "a"}, {"input": [[5, 6], [7]]}),
    "/v1/responses": ({"input": "a", "max_output_tokens": 1},
                      {"input": [{"type": "message", "role": "user",
                                  "content": [{"type": "input_text", "text": "a"}]}],
                       "text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}}}),
    "/v1/batches": (None, {"metadata": {"a": "b"}}),  # its body needs a file
    "/v1/messages": ({"messages": USER, "max_tokens": 1}, ANTHROPIC),
    "/v1/messages/count_tokens": ({"messages": USER}, ANTHROPIC),
    "/tokenize": ({"prompt": "a"}, {}),
    "/detokenize": ({"tokens": [5]}, {"tokens": [5, 6]}),
    "/api/chat": ({"messages": USER, "options": {"num_predict": 1}}, OLLAMA),
    "/api/generate": ({"prompt": "a", "options": {"num_predict": 1}}, OLLAMA),
    "/api/embed": ({"input": "a"}, {"input": ["a", "b"]}),
    "/api/embeddings": ({"prompt": "a"}, {}),
    "/api/show": ({"model": "a"}, {}),
    "/api/pull": ({"model": "a"}, {}),
    # without a document that can be read: refused after its fields were
    "/minions": ({"question": "a?", "documents": []},
                 {"documents": [{"name": "a", "base64": "!"}], "context": ["a", 5]}),
}
NEEDED = {"/minions": {"documents"}}  # what a body that is otherwise right is refused for
EMPTY = {"/api/chat", "/api/generate", "/api/show", "/api/pull"}  # take an object without any field
TALKS = ("/v1/messages", "/v1/messages/count_tokens")
WITH = {(CHAT, "tool_choice"): {"tools": [TOOL]}, ("/minions", "chunks"): {"retrieve": "bm25"}} | {
    (path, "top_logprobs"): {"logprobs": True} for path in (CHAT, "/api/chat", "/api/generate")} | {
    (path, "tool_choice"): {"tools": [BARE]} for path in TALKS}
TOGETHER = {"best_of"}  # right by itself, and yet not to be had alone


# ---- what the published schema says of a value ----

def kind_of(value):
    return {"t": "boolean", "f": "boolean", "n": "null", '"': "string", "[": "array",
            "{": "object"}.get(value[0], "number")


def number_fits(schema, value, types):
    if value in ("NaN", "1e999"):
        return False
    whole = bool(re.fullmatch(r"-?\d+", value))
    number = int(value) if whole else float(value)
    if "number" not in types and (not whole or not -2**63 <= number < 2**63):
        return False
    return schema.get("minimum", -2e308) <= number <= schema.get("maximum", 2e308)


def is_excluded(schema, value):
    """Whether the schema has no place for it."""
    types, kind = schema.get("type"), kind_of(value)
    if schema["description"] == "Not supported.":
        return value not in ("null", "false", "0", '"none"', "[]", "{}")
    if types is None or kind == "null":
        return False
    if kind == "number" and {"number", "integer"} & set(types):
        return not number_fits(schema, value, types)
    return kind not in types or (kind == "string" and len(value) - 2 > schema.get("maxLength", 1e9))


def is_included(schema, value):
    """Whether it must be taken: scalars that fit, and whatever changes nothing."""
    if is_excluded(schema, value) or value in NO_JSON:
        return False
    scalar = {"boolean", "integer", "number"} & set(schema.get("type", []))
    ignored = schema["description"] in ("Taken; changes nothing.", "Not supported.")
    return value == "null" or ignored or (bool(scalar) and kind_of(value) in ("boolean", "number"))


# ---- bodies ----

def body_with(base, place, value):
    """base with the text value at a place of field names."""
    body = copy.deepcopy(base)
    at = body
    for name in place[:-1]:
        at = at.setdefault(name, {})
    at[place[-1]] = "@VALUE@"
    return json.dumps(body).replace('"@VALUE@"', value).encode()


def parts_of(value, place=()):
    """The places of all that a value holds."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield place + (key,)
        yield from parts_of(one, place + (key,))


def with_part(value, place, mark):
    changed = copy.deepcopy(value)
    at = changed
    for key in place[:-1]:
        at = at[key]
    if mark is None:
        del at[place[-1]]
    else:
        at[place[-1]] = mark
    return changed


def examples_of(example):
    """Texts of the example: as it is, with each part gone, and with each value in its place."""
    yield json.dumps(example)
    for place in parts_of(example):
        yield json.dumps(with_part(example, place, None))
        whole = json.dumps(with_part(example, place, "@VALUE@"))
        for value in PARTS:
            yield whole.replace('"@VALUE@"', value)


class Sweep:
    """One connection, and what went wrong over it."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=REQUEST_S)
        self.wrong, self.tried, self.refused = [], 0, 0

    def post(self, path, body):
        self.tried += 1
        try:
            self.connection.request("POST", path, body)
            reply = self.connection.getresponse()
            return reply.status, reply.read()
        except (OSError, http.client.HTTPException) as error:
            raise AssertionError(f"no answer: {path} {body[:200]} {error!r}") from error

    def is_named(self, got, place, value):
        """Whether a refusal is about the field; of a long text it may be about the tokens it makes."""
        error = json.loads(got)["error"]
        sentence = error if isinstance(error, str) else error["message"]
        name = ".".join(place)
        begins = bool(re.match(re.escape(name) + r"\b", sentence))
        param = error["param"] if isinstance(error, dict) and "param" in error else place[0]
        if sentence.startswith("body: JSON: ") and any(bad in value for bad in NO_JSON):
            return True
        if PAGES in value and re.match(r"(messages|input|prompt): \d+ tokens", sentence):
            return True  # of which it is a part
        return begins and param in (place[0], name)

    def try_value(self, path, place, value, must):
        """must: whether it has to be taken (True), refused (False), or either (None)."""
        base = ENDPOINTS[path][0] | WITH.get((path, place[0]), {})
        status, got = self.post(path, body_with(base, place, value))
        self.judge(path, place, value, must, status, got)

    def judge(self, path, place, value, must, status, got):
        needed = NEEDED.get(path, set()) if status == 400 else set()
        is_short = any(self.is_named(got, (name,), "") for name in needed)
        is_taken = status == 200 or (is_short and place[0] not in needed)
        is_right = is_taken or (status == 400 and self.is_named(got, place, value))
        self.refused += not is_taken
        if not is_right or (must is not None and must != is_taken):
            self.wrong.append((path, ".".join(place), value[:60], must, status, got[:160]))


def try_field(sweep, path, place, schema):
    required = place[0] in ENDPOINTS[path][0] and len(place) == 1
    for value in VALUES:
        if value == LONG and not FULL and "string" not in schema.get("type", ["string"]):
            continue
        must = False if is_excluded(schema, value) else None
        if is_included(schema, value) and place[-1] not in TOGETHER and not required:
            must = True
        sweep.try_value(path, place, value, must)
    for name, inner in schema.get("properties", {}).items():
        try_field(sweep, path, place + (name,), inner)


def try_example(sweep, path, place, schema, examples):
    if {"array", "object"}.isdisjoint(schema.get("type", ["object"])) or "properties" in schema \
            or schema["description"] in ("Taken; changes nothing.", "Not supported."):
        return
    example = examples.get(".".join(place))
    assert example is not None, f"{path}: give {place} an example here"
    for number, value in enumerate(examples_of(example)):
        sweep.try_value(path, place, value, True if number == 0 and path != "/minions" else None)


def try_endpoint(sweep, path, fields):
    assert path in ENDPOINTS, f"{path}: give a body here that it takes"
    base, examples = ENDPOINTS[path]
    assert sweep.post(path, json.dumps(base).encode())[0] == (400 if path in NEEDED else 200), path
    for name, schema in fields.items():
        try_field(sweep, path, (name,), schema)
        try_example(sweep, path, (name,), schema, examples)
        for inner, inner_schema in schema.get("properties", {}).items():
            try_example(sweep, path, (name, inner), inner_schema, examples)
    for value in VALUES:  # and in the place of the whole body
        status, got = sweep.post(path, value.encode())
        if not got or status != (200 if path in EMPTY and kind_of(value) == "object" else 400):
            sweep.wrong.append((path, "body", value[:40], status))


def endpoints_of(server):
    for path, operations in server.ask("GET", "/openapi.json")[2]["paths"].items():
        content = operations.get("post", {}).get("requestBody", {}).get("content")
        if content:
            yield path, content["application/json"]["schema"]["properties"]


def test_every_field_with_every_value(server):
    sweep = Sweep(server)
    for path, fields in endpoints_of(server):
        if ENDPOINTS.get(path, ({},))[0] is None:
            continue  # batches: below
        before, start = sweep.tried, time.monotonic()
        try_endpoint(sweep, path, fields)
        print(f"  {path}: {len(fields)} fields, {sweep.tried - before} bodies, "
              f"{time.monotonic() - start:.1f} s")
    assert not sweep.wrong, (len(sweep.wrong), sweep.wrong[:20])
    print(f"  {sweep.tried} bodies, {sweep.refused} refused by name")


# ---- batches ----

def upload(server, lines):
    form = "\r\n".join(["--x", 'Content-Disposition: form-data; name="purpose"', "", "batch", "--x",
                        'Content-Disposition: form-data; name="file"; filename="a"', "",
                        "\n".join(lines), "--x--", ""])
    status, _, got = server.post("/v1/files", form.encode("utf-8", "surrogatepass"),
                                 {"Content-Type": "multipart/form-data; boundary=x"})
    assert status == 200, got
    return got["id"]


def batch_of(file):
    return {"input_file_id": file, "endpoint": CHAT, "completion_window": "24h"}


def run_batch(server, lines):
    """The batch at its end, and the results by custom_id."""
    status, _, batch = server.post("/v1/batches", batch_of(upload(server, lines)))
    assert status == 200, batch
    end = time.monotonic() + REQUEST_S
    while batch["status"] not in ("completed", "failed"):
        assert time.monotonic() < end, batch
        time.sleep(0.02)
        batch = server.ask("GET", f"/v1/batches/{batch['id']}")[2]
    results = {}
    for name in ("output_file_id", "error_file_id"):
        if batch.get(name):
            got = server.ask("GET", f"/v1/files/{batch[name]}/content")[2]
            results |= {line["custom_id"]: line["response"]
                        for line in map(json.loads, got.decode().splitlines())}
    return batch, results


def test_batches_fields(server):
    """The body of POST /v1/batches: as of any other endpoint, with a file that is there."""
    path, sweep = "/v1/batches", Sweep(server)
    line = json.dumps({"custom_id": "1", "method": "POST", "url": CHAT, "body": ENDPOINTS[CHAT][0]})
    ENDPOINTS[path] = (batch_of(upload(server, [line])), ENDPOINTS[path][1])
    try_endpoint(sweep, path, dict(endpoints_of(server))[path])
    assert not sweep.wrong, (len(sweep.wrong), sweep.wrong[:20])
    print(f"  {sweep.tried} bodies")


def test_bodies_in_lines(server):
    """Each field of a chat in a line of its own, all in one batch: each has a result of its own."""
    base, sweep, tried, lines = ENDPOINTS[CHAT][0], Sweep(server), [], []
    values = [v for v in VALUES if v not in NO_JSON and v != LONG]
    for name, schema in dict(endpoints_of(server))[CHAT].items():
        for value in values:
            body = body_with(base, (name,), value).decode()
            lines.append(f'{{"custom_id":"{len(tried)}","method":"POST","url":"{CHAT}","body":{body}}}')
            tried.append((name, schema, value))
    batch, results = run_batch(server, lines)
    assert batch["status"] == "completed" and len(results) == len(tried), batch
    for number, (name, schema, value) in enumerate(tried):
        result = results[str(number)]
        sweep.judge(CHAT, (name,), value, False if is_excluded(schema, value) else None,
                    result["status_code"], json.dumps(result["body"]).encode())
    assert not sweep.wrong, (len(sweep.wrong), sweep.wrong[:20])
    print(f"  {len(tried)} lines, {sweep.refused} refused by name")


def test_lines(server):
    """What a line itself may be: a batch with one that is none fails as a whole and says which."""
    good = {"custom_id": "1", "method": "POST", "url": CHAT, "body": ENDPOINTS[CHAT][0]}
    tried, wrong = 0, []
    for name in good:
        for value in VALUES if FULL else PARTS:
            batch, _ = run_batch(server, [json.dumps(good | {"custom_id": "0"}),
                                          body_with(good, (name,), value).decode()])
            tried += 1
            told = (batch.get("errors") or {}).get("data", [{}])[0].get("message", "")
            is_taken = batch["status"] == "completed" and (kind_of(value) == "string") == (name == "custom_id")
            if not is_taken and not told.startswith("line 2"):
                wrong.append((name, value[:40], batch["status"], told))
    assert not wrong, (len(wrong), wrong[:20])
    print(f"  {tried} batches")


def test_it_lives(server):
    assert server.process.poll() is None and server.ask("GET", "/health")[0] == 200
    end = time.monotonic() + REQUEST_S
    while server.metrics()["cohort:flights"] > 0:
        assert time.monotonic() < end, server.metrics()
        time.sleep(0.05)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COHORT_STATE"] = folder  # batches of its own
        model = serving.small_model(folder)
        if not model:
            print("a small model is missing; see tools/scripts/setup")
            sys.exit(77)
        with serving.Server(BINARY, "--context", "512", model=model) as server:
            for name, test in list(globals().items()):
                if name.startswith("test_"):
                    start = time.monotonic()
                    test(server)
                    print(f"ok {name} {time.monotonic() - start:.1f} s", flush=True)


main()
