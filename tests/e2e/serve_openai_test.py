#!/usr/bin/env python3
"""serve_openai_test BINARY - OpenAI's API by hand: completions, embeddings, JobOutput, batches of
users' messages, tools, responses."""

import base64
import json
import pathlib
import struct
import sys
import tempfile

import gguf_template
import serving
from serve_openai_template import TEMPLATE, WEATHER, shown_calls
from serving import user

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
CHAT, TEXT, EMBED = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
RAIN = {"prompt": "The rain in", "temperature": 0, "max_tokens": 4}


def answered(server, path, body, headers=None):
    status, _, reply = server.post(path, body, headers)
    assert status == 200, reply
    return reply


def refused(server, path, body, name):
    status, _, reply = server.post(path, body)
    assert status == 400 and reply["error"]["param"] == name, (body, reply)


def test_text(server):
    choice = answered(server, TEXT, RAIN | {"logprobs": 2})["choices"][0]
    told = choice["logprobs"]
    assert "".join(told["tokens"]) == choice["text"] and len(told["tokens"]) == 4
    for token, logprob, tops in zip(told["tokens"], told["token_logprobs"],
                                    told["top_logprobs"]):
        assert len(tops) == 2 and tops[token] == logprob == max(tops.values())
    back = answered(server, TEXT, RAIN | {"logprobs": 0, "echo": True})["choices"][0]
    assert back["text"] == RAIN["prompt"] + choice["text"]
    told_back = back["logprobs"]
    assert told_back["tokens"][-4:] == told["tokens"]
    assert told_back["token_logprobs"][-4:] == told["token_logprobs"]
    assert told_back["token_logprobs"][0] is None
    for token, at in zip(told_back["tokens"], told_back["text_offset"]):
        assert back["text"][at:at + len(token)] == token


def test_formats_are_refused_by_name(server):
    """A schema that is none, or more than we do: the field that has it, and why."""
    for schema, why in [({"type": 5}, "type: want"), (5, "schema: want an object"), (False, "no value"),
                        ({"pattern": "("}, "regular expression:"),
                        ({"$ref": "#/none"}, "schema: $ref #/none"),
                        ({"type": "string", "x-copied-from": "chunk"}, "there is no chunk")]:
        named = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
        for path, field, body in [
                (CHAT, "response_format", user("a", response_format=named)),
                ("/v1/responses", "text", {"input": "a", "text": {"format": {
                    "type": "json_schema", "name": "n", "schema": schema}}})]:
            status, _, reply = server.post(path, body)
            error = reply["error"]
            assert (status, error["param"]) == (400, field), error
            assert error["message"].startswith(field + ": ") and why in error["message"], error
    refused(server, CHAT, user("a", json_schema={"type": 5}), "json_schema")


def test_prompt_scores_are_those_of_generating(server):
    """What a greedy text's tokens were told, the same text as a prompt is told again."""
    words = RAIN | {"max_tokens": 2, "logprobs": 0}
    choice = answered(server, TEXT, words)["choices"][0]
    tokens = answered(server, TEXT, {"prompt": RAIN["prompt"] + choice["text"], "echo": True,
                                     "max_tokens": 0, "logprobs": 1})
    assert tokens["choices"][0]["text"] == RAIN["prompt"] + choice["text"]
    assert tokens["usage"]["completion_tokens"] == 0
    assert tokens["usage"]["prompt_tokens"] == len(tokens["choices"][0]["logprobs"]["tokens"])
    told = tokens["choices"][0]["logprobs"]
    assert told["token_logprobs"][-2:] == choice["logprobs"]["token_logprobs"]
    assert [max(tops, key=tops.get) for tops in told["top_logprobs"][-2:]] == \
        told["tokens"][-2:]


def test_prompts(server):
    reply = answered(server, TEXT, {"prompt": ["a b", "c d"], "n": 2, "seed": 3,
                                    "ignore_eos": True})
    assert [c["index"] for c in reply["choices"]] == [0, 1, 2, 3]
    assert len({c["text"] for c in reply["choices"]}) == 4
    assert reply["usage"]["completion_tokens"] == 64
    first = answered(server, TEXT, {"prompt": "a b", "n": 2, "seed": 3,
                                    "ignore_eos": True})
    assert [c["text"] for c in first["choices"]] == [c["text"] for c in reply["choices"][:2]]
    one = answered(server, TEXT, {"prompt": [404, 390], "echo": True, "temperature": 0})
    two = answered(server, TEXT, {"prompt": [[404, 390], [404]], "echo": True,
                                  "temperature": 0})
    assert one["choices"][0]["text"] == two["choices"][0]["text"]
    refused(server, TEXT, {"prompt": [[404, 49152]]}, "prompt")
    refused(server, TEXT, {"prompt": [[404, 49152]], "max_tokens": 0, "echo": True,
                           "logprobs": 0}, "prompt")


def test_text_stream(server):
    whole = answered(server, TEXT, RAIN | {"echo": True})
    events = server.events(TEXT, RAIN | {"echo": True, "stream": True,
                                         "stream_options": {"include_usage": True}})
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    assert "".join(c["choices"][0]["text"] for c in chunks[:-1]) == whole["choices"][0]["text"]
    assert chunks[-2]["choices"][0]["finish_reason"] == "length"
    assert chunks[-1]["usage"]["total_tokens"] == whole["usage"]["total_tokens"]
    mute = server.events(TEXT, {"prompt": "a", "max_tokens": 0, "stream": True})
    assert json.loads(mute[-2])["choices"][0]["finish_reason"] == "length"


def test_embeddings(server):
    reply = answered(server, EMBED, {"input": ["a cat", "a dog", "rain"]})
    assert [item["index"] for item in reply["data"]] == [0, 1, 2]
    vectors = [item["embedding"] for item in reply["data"]]
    for vector in vectors:
        assert abs(sum(x * x for x in vector) - 1) < 1e-6
    packed = answered(server, EMBED, {"input": "a cat", "encoding_format": "base64"})
    data = base64.b64decode(packed["data"][0]["embedding"])
    assert list(struct.unpack(f"<{len(vectors[0])}f", data)) == vectors[0]
    tokens = answered(server, EMBED, {"input": [[404, 390], [404]]})
    assert tokens["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    refused(server, EMBED, {"input": "a", "dimensions": 8}, "dimensions")
    refused(server, EMBED, {"input": []}, "input")
    refused(server, EMBED, {"input": "a", "encoding_format": "int8"}, "encoding_format")


def check_job_output(server):
    text = "Repeat: Acme earned 12 million dollars in 1999."
    body = user(text, max_tokens=400) | {"model": "any:joboutput"}
    output = json.loads(answered(server, CHAT, body)["choices"][0]["message"]["content"])
    assert list(output) == ["explanation", "citation", "answer"]
    assert output["citation"] and output["citation"] in text


def test_batch(server):
    asked = ["Say a word about rain.", "Name a colour.", "Count to three."]
    body = user("", n=2) | {"messages": [{"role": "user", "content": a} for a in asked]}
    reply = answered(server, CHAT, body, {"X-Minions-Batch": "1"})
    assert [c["index"] for c in reply["choices"]] == [0, 1, 2, 3, 4, 5]
    for i, text in enumerate(asked):
        alone = answered(server, CHAT, user(text))["choices"][0]["message"]
        assert reply["choices"][2 * i]["message"] == alone
    assert len(answered(server, CHAT, body)["choices"]) == 2


def responses_events(server, body):
    status, _, got = server.post("/v1/responses", body | {"stream": True})
    assert status == 200, got
    pairs = [block.split("\n") for block in got.decode().strip().split("\n\n")]
    events = [json.loads(data.removeprefix("data: ")) for _, data in pairs]
    assert [name.removeprefix("event: ") for name, _ in pairs] == [e["type"] for e in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


def test_responses(server):
    said = answered(server, CHAT, user("Say a word about rain.", max_tokens=8))
    text = said["choices"][0]["message"]["content"]
    asked = {"input": "Say a word about rain.", "max_output_tokens": 8, "temperature": 0}
    reply = answered(server, "/v1/responses", asked)
    assert reply["output"][0]["content"][0]["text"] == text
    assert reply["status"] == "incomplete" and reply["object"] == "response"
    assert reply["incomplete_details"] == {"reason": "max_output_tokens"}
    assert reply["usage"]["input_tokens"] == said["usage"]["prompt_tokens"]
    assert reply["usage"]["total_tokens"] == said["usage"]["total_tokens"]
    parts = [{"type": "input_text", "text": "Say a word "},
             {"type": "input_text", "text": "about rain."}]
    same = asked | {"input": [{"role": "user", "content": parts}], "conversation": "conv_none",
                    "reasoning": {"effort": "low"}, "store": True}
    assert answered(server, "/v1/responses", same)["output"][0]["content"][0]["text"] == text
    events = responses_events(server, asked)
    assert "".join(e["delta"] for e in events if "delta" in e) == text
    assert events[-1]["type"] == "response.incomplete"
    assert events[-1]["response"]["usage"] == reply["usage"]
    schema = {"type": "object", "properties": {"rain": {"type": "boolean"}},
              "required": ["rain"], "additionalProperties": False}
    shaped = asked | {"max_output_tokens": 60, "instructions": "Answer in JSON.", "text": {
        "format": {"type": "json_schema", "name": "rain", "schema": schema}}}
    whole = answered(server, "/v1/responses", shaped)
    assert whole["status"] == "completed"
    assert set(json.loads(whole["output"][0]["content"][0]["text"])) == {"rain"}
    assert responses_events(server, shaped)[-1]["type"] == "response.completed"
    assert server.post("/v1/conversations", {})[2]["object"] == "conversation"
    for fields, name in (({"tools": [WEATHER]}, "tools"), ({"input": []}, "input"),
                         ({"previous_response_id": "r"}, "previous_response_id"),
                         ({"input": [{"type": "function_call"}]}, "input"),
                         ({"text": {"format": {"type": "x"}}}, "text")):
        refused(server, "/v1/responses", asked | fields, name)


NOW = {"type": "function", "function": {"name": "now", "description": "The time"}}
ASKED = user("What is the weather in Paris?", max_tokens=60)


def only_call(choice):
    assert choice["finish_reason"] == "tool_calls" and choice["message"]["content"] is None
    [call] = choice["message"]["tool_calls"]
    assert call["type"] == "function" and len(call["id"]) == 9
    return call


def tool_deltas(events):
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event)["choices"][0] for event in events[:-1]]
    assert chunks[-1]["finish_reason"] == "tool_calls"
    return [d for c in chunks for d in c["delta"].get("tool_calls", [])], \
        "".join(c["delta"].get("content") or "" for c in chunks)


def check_forced(server):
    for choice in ("required", {"type": "function", "function": {"name": "get_weather"}}):
        body = ASKED | {"tools": [WEATHER, NOW], "tool_choice": choice}
        call = only_call(answered(server, CHAT, body)["choices"][0])
        assert call["function"]["name"] in ("get_weather", "now")
    arguments = json.loads(call["function"]["arguments"])
    assert set(arguments) == {"city", "unit"} and arguments["unit"] in "cf", arguments
    now = ASKED | {"tools": [WEATHER, NOW], "tool_choice":
                   {"type": "function", "function": {"name": "now"}}}
    assert only_call(answered(server, CHAT, now)["choices"][0])["function"] == \
        {"name": "now", "arguments": "{}"}


def check_cut(server):
    """A call that is cut off is text, in a stream as well."""
    body = ASKED | {"tools": [WEATHER], "tool_choice": "required", "max_tokens": 6}
    choice = answered(server, CHAT, body)["choices"][0]
    assert choice["finish_reason"] == "length" and choice["message"]["content"].lstrip()[0] == "{"
    events = server.events(CHAT, body | {"stream": True})
    said = [json.loads(event)["choices"][0]["delta"].get("content", "") for event in events[:-1]]
    assert "".join(said) == choice["message"]["content"], said


def check_free(server):
    body = ASKED | {"messages": shown_calls("Paris"), "tools": [WEATHER]}
    call = only_call(answered(server, CHAT, body)["choices"][0])
    assert "Paris" in call["function"]["arguments"], call
    head, rest = tool_deltas(server.events(CHAT, body | {"stream": True}))[0]
    assert head["function"] == {"name": "get_weather", "arguments": ""} and head["id"]
    assert rest["function"] == {"arguments": call["function"]["arguments"]}
    assert tool_deltas(server.events(CHAT, body | {"stream": True}))[1] == ""
    none = answered(server, CHAT, body | {"tool_choice": "none"})["choices"][0]
    assert "tool_calls" not in none["message"]
    free = ASKED | {"tools": [WEATHER]}
    text = answered(server, CHAT, free)["choices"][0]
    events = server.events(CHAT, free | {"stream": True})
    chunks = [json.loads(event)["choices"][0] for event in events[:-1]]
    assert "".join(c["delta"].get("content", "") for c in chunks) == text["message"]["content"]


def test_tools_are_refused(server):
    refused(server, CHAT, ASKED | {"tools": [WEATHER]}, "tools")
    refused(server, CHAT, ASKED | {"messages": shown_calls("Paris")}, "messages")
    refused(server, CHAT, ASKED | {"tool_choice": "required"}, "tool_choice")


def check_tools(binary):
    with tempfile.TemporaryDirectory() as folder:
        with serving.Server(binary, "--minions-batch",
                            model=serving.tools_model(folder)) as server:
            check_forced(server)
            check_cut(server)
            refused(server, CHAT, ASKED | {"tools": [WEATHER], "response_format":
                                           {"type": "json_object"}}, "response_format")
            two = ASKED["messages"] * 2
            assert len(answered(server, CHAT, ASKED | {"messages": two})["choices"]) == 2
        model = pathlib.Path(folder, "free.gguf")  # calls by itself, and finds what to cite
        gguf_template.copy(serving.MODEL, model, TEMPLATE)
        with serving.Server(binary, model=model) as server:
            check_free(server)
            check_job_output(server)
    print("ok check_tools")


def main():
    if not serving.MODEL.exists():
        print("the demo model is missing; see tools/scripts/setup")
        sys.exit(77)
    with serving.Server(BINARY) as server:
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                test(server)
                print("ok", name)
    check_tools(BINARY)


main()
