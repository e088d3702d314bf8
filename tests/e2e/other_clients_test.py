#!/usr/bin/env python3
"""other_clients_test BINARY - Ollama's and Anthropic's own clients against cohort serve; replies
against Ollama's description of its API."""

import json
import pathlib
import subprocess
import sys
import tempfile

import clients

clients.enter()

import anthropic
import ollama

import api_schema
import gguf_template
import serving
from serve_openai_template import TEMPLATE, WEATHER, shown_calls

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
RAIN = [{"role": "user", "content": "Say a word about rain."}]
SHORT = {"temperature": 0, "num_predict": 8}
CITY = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 20},
                                         "is_large": {"type": "boolean"}},
        "required": ["name", "is_large"], "additionalProperties": False}


def ollama_of(server):
    return ollama.Client(host=f"http://127.0.0.1:{server.port}")


def anthropic_of(server):
    return anthropic.Anthropic(base_url=f"http://127.0.0.1:{server.port}", api_key="none",
                               max_retries=0)


def inspected(path):
    """Parameters and context of a model, as its file has them."""
    told = subprocess.run([BINARY, "inspect", "--json", "-m", str(path)], check=True,
                          stdout=subprocess.PIPE, timeout=serving.GIVE_UP_S).stdout
    found = json.loads(told)
    return found["parameters"], found["metadata"]["llama.context_length"]


PARAMETERS, CONTEXT = inspected(serving.ANY_MODEL)


def raises(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def lines(server, path, body):
    status, headers, got = server.post(path, body)
    assert status == 200, got
    assert headers["Content-Type"] == "application/x-ndjson", headers
    return [json.loads(line) for line in got.decode().splitlines()]


# ---- Ollama ----

def test_ollama_chat(server):
    client = ollama_of(server)
    whole = client.chat(model="any", messages=RAIN, options=SHORT)
    text = whole.message.content
    assert text and whole.message.role == "assistant" and whole.done
    assert whole.done_reason == "length" and whole.eval_count == 8
    assert whole.prompt_eval_count > 8 and whole.load_duration == 0
    assert whole.total_duration >= whole.prompt_eval_duration + whole.eval_duration > 0
    pieces = list(client.chat(model="any", messages=RAIN, options=SHORT, stream=True))
    assert len(pieces) > 2 and not any(p.done for p in pieces[:-1]) and pieces[-1].done
    assert "".join(p.message.content for p in pieces) == text
    assert pieces[-1].eval_count == 8
    stopped = client.chat(model="any", messages=RAIN, options=SHORT | {"stop": [text[3:6]]})
    assert stopped.message.content == text[:3] and stopped.done_reason == "stop"
    free = {"seed": 7, "num_predict": 8}
    drawn = [client.chat(model="any", messages=RAIN, options=free).message.content
             for _ in range(2)]
    assert drawn[0] == drawn[1]


def test_ollama_probe(server):
    """As the reference's client tries a model: no options, and an answer at once."""
    tried = ollama_of(server).chat(model="llama3.2",
                                   messages=[{"role": "system", "content": "test"}])
    assert tried.eval_count <= 16
    loaded = ollama_of(server).chat(model="llama3.2", messages=[])
    assert loaded.done_reason == "load" and loaded.message.content == ""


def test_ollama_generate(server):
    client = ollama_of(server)
    chat = client.chat(model="any", messages=RAIN, options=SHORT)
    whole = client.generate(model="any", prompt=RAIN[0]["content"], options=SHORT, logprobs=True,
                            top_logprobs=2)
    assert whole.response == chat.message.content
    assert len(whole.logprobs) == 8 and len(whole.logprobs[0].top_logprobs) == 2
    pieces = list(client.generate(model="any", prompt=RAIN[0]["content"], options=SHORT,
                                  stream=True))
    assert "".join(p.response for p in pieces) == whole.response
    raw = client.generate(model="any", prompt="Once upon a", raw=True, options=SHORT)
    assert raw.prompt_eval_count < whole.prompt_eval_count and raw.response
    assert client.generate(model="any").done_reason == "load"


def test_ollama_format(server):
    client = ollama_of(server)
    asked = [{"role": "user", "content": "Tell of Paris in JSON."}]
    shaped = client.chat(model="any", messages=asked, format=CITY,
                         options={"temperature": 0, "num_predict": 80})
    assert shaped.done_reason == "stop"
    assert set(json.loads(shaped.message.content)) == {"name", "is_large"}
    free = client.chat(model="any", messages=asked, format="json",
                       options={"temperature": 0, "num_predict": 200})
    assert free.message.content.lstrip().startswith("{")


def test_ollama_embed(server):
    client = ollama_of(server)
    several = client.embed(model="any", input=["rain", "a cat"])
    assert len(several.embeddings) == 2 and several.prompt_eval_count >= 2
    assert abs(sum(x * x for x in several.embeddings[0]) - 1) < 1e-4
    one = client.embed(model="any", input="rain")
    assert max(abs(a - b) for a, b in zip(one.embeddings[0], several.embeddings[0])) < 1e-4
    assert len(client.embeddings(model="any", prompt="rain").embedding) == \
        len(several.embeddings[0])


def test_ollama_models(server):
    client = ollama_of(server)
    size = f"{PARAMETERS / 1e6:.0f}M" if PARAMETERS >= 1e6 else f"{PARAMETERS / 1e3:.0f}K"
    [model] = client.list().models
    assert model.size > 0 and model.details.parameter_size == size and model.modified_at
    [running] = client.ps().models
    assert running.digest == model.digest and running.context_length == CONTEXT
    shown = client.show("any")
    assert shown.capabilities == ["completion", "embedding"]
    assert shown.modelinfo["llama.context_length"] == CONTEXT
    assert shown.modelinfo["general.parameter_count"] == PARAMETERS
    assert client.pull("any").status == "success"
    assert [s.status for s in client.pull("any", stream=True)][-1] == "success"


def test_ollama_errors(server):
    client = ollama_of(server)
    for asked, word in [({"options": {"temperature": -1}}, "temperature"),
                        ({"think": True}, "think"), ({"format": {"type": 5}}, "format: type: want"),
                        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools")]:
        error = raises(ollama.ResponseError,
                       lambda a=asked: client.chat(model="any", messages=RAIN, **a))
        assert error.status_code == 400 and word in error.error, error
    long = "word " * 9000
    error = raises(ollama.ResponseError, lambda: client.generate(model="any", prompt=long))
    assert f"tokens, the context has room for {CONTEXT - 1}" in error.error, error


def test_users_stay_together(server):
    """A reply of these APIs has room for one answer, also where batches are asked for."""
    messages = RAIN + [{"role": "user", "content": "And one about snow."}]
    for path, field in [("/api/chat", "prompt_eval_count"), ("/v1/messages", "usage")]:
        body = {"messages": messages, "stream": False, "max_tokens": 4, "temperature": 0,
                "options": SHORT}
        plain = server.post(path, body)[2]
        batch = server.post(path, body, {"X-Minions-Batch": "1"})[2]
        assert batch[field] == plain[field], (plain, batch)


def test_ollama_schemas(server):
    """What is told is what Ollama describes: its schemas, and no field beside them."""
    schemas = api_schema.Ollama()
    asked = {"model": "any", "options": SHORT, "stream": False, "logprobs": True}
    chat = asked | {"messages": RAIN}
    generate = asked | {"prompt": "Say a word."}
    for name, path, body in [("ChatResponse", "/api/chat", chat),
                             ("GenerateResponse", "/api/generate", generate),
                             ("EmbedResponse", "/api/embed", {"input": ["a", "b"]}),
                             ("StatusResponse", "/api/pull", {"model": "m", "stream": False}),
                             ("ShowResponse", "/api/show", {"model": "m"})]:
        status, _, got = server.post(path, body)
        assert status == 200, got
        schemas.check(name, got)
    for name, path in [("ListResponse", "/api/tags"), ("PsResponse", "/api/ps"),
                       ("VersionResponse", "/api/version")]:
        schemas.check(name, server.ask("GET", path)[2])
    for name, last, path, body in [("ChatStreamEvent", "ChatResponse", "/api/chat", chat),
                                   ("GenerateStreamEvent", "GenerateResponse", "/api/generate",
                                    generate)]:
        *pieces, end = lines(server, path, body | {"stream": True, "logprobs": False})
        for piece in pieces:
            schemas.check(name, piece)
        schemas.check(last, end)
    for event in lines(server, "/api/pull", {"model": "m"}):
        schemas.check("StatusEvent", event)
    status, _, error = server.post("/api/chat", "{")
    assert status == 400
    schemas.check("ErrorResponse", error)


# ---- Anthropic ----

def test_anthropic(server):
    client = anthropic_of(server)
    asked = {"model": "any", "max_tokens": 8, "messages": RAIN, "extra_body": {"temperature": 0}}
    whole = client.messages.create(system="Be brief.", **asked)
    text = whole.content[0].text
    assert text and whole.stop_reason == "max_tokens" and whole.stop_sequence is None
    assert whole.usage.output_tokens == 8 and whole.role == "assistant"
    blocks = client.messages.create(system=[{"type": "text", "text": "Be brief."}], **asked)
    assert blocks.content[0].text == text
    counted = client.messages.count_tokens(model="any", messages=RAIN, system="Be brief.")
    assert counted.input_tokens == whole.usage.input_tokens
    with client.messages.stream(system="Be brief.", **asked) as stream:
        assert "".join(stream.text_stream) == text
        final = stream.get_final_message()
    assert final.usage.input_tokens == whole.usage.input_tokens
    assert final.usage.output_tokens == 8 and final.stop_reason == "max_tokens"
    events = [e.type for e in client.messages.create(stream=True, **asked)]
    assert events[:2] == ["message_start", "content_block_start"]
    assert events[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(events[2:-3]) == {"content_block_delta"}
    first = next(iter(client.messages.create(system="Be brief.", stream=True, **asked)))
    assert first.message.usage.input_tokens == whole.usage.input_tokens


def test_anthropic_ends(server):
    client = anthropic_of(server)
    asked = {"model": "any", "max_tokens": 8, "messages": RAIN, "extra_body": {"temperature": 0}}
    text = client.messages.create(**asked).content[0].text
    stopped = client.messages.create(stop_sequences=["never", text[3:6]], **asked)
    assert stopped.content[0].text == text[:3] and stopped.stop_sequence == text[3:6]
    assert stopped.stop_reason == "stop_sequence"
    with client.messages.stream(stop_sequences=[text[3:6]], **asked) as stream:
        assert stream.get_final_message().stop_sequence == text[3:6]
    shaped = client.messages.create(output_config={"format": {
        "type": "json_schema", "schema": CITY}}, **asked | {"max_tokens": 80})
    assert shaped.stop_reason == "end_turn" and shaped.stop_sequence is None
    assert set(json.loads(shaped.content[0].text)) == {"name", "is_large"}


def test_anthropic_errors(server):
    client = anthropic_of(server)
    asked = {"model": "any", "max_tokens": 8, "messages": RAIN}
    for more, word in [({"extra_body": {"temperature": 2}}, "temperature"),
                       ({"extra_body": {"top_k": -1}}, "top_k"),
                       ({"max_tokens": 0}, "max_tokens"),
                       ({"tools": [{"name": "f", "input_schema": {}}]}, "tools"),
                       ({"output_config": {"format": {"type": "json_schema",
                                                      "schema": {"type": 5}}}}, "output_config"),
                       ({"messages": [{"role": "tool", "content": "x"}]}, "messages")]:
        error = raises(anthropic.BadRequestError,
                       lambda m=more: client.messages.create(**asked | m))
        assert error.body["type"] == "error"
        assert error.body["error"]["type"] == "invalid_request_error"
        assert error.body["error"]["message"].startswith(word + ":"), error.body
    status, _, got = server.post("/v1/messages", {"messages": RAIN})
    assert status == 400 and got["error"]["message"].startswith("max_tokens:"), got
    status, _, got = server.post("/v1/messages/count_tokens", {"messages": 1})
    assert status == 400 and got["error"]["message"].startswith("messages:"), got


# ---- tools, of a model whose template takes them ----

PARIS = [{"role": "user", "content": "What is the weather in Paris?"}]
LIMIT = {"temperature": 0, "num_predict": 60}


def get_weather(city: str, unit: str) -> str:
    """Weather of a city.

    Args:
      city: Which one
      unit: c or f
    """
    return f"21 {unit} in {city}"


def as_ollama(messages):
    """Calls without ids, their arguments as objects."""
    made = []
    for message in messages:
        calls = [{"function": {"name": call["function"]["name"],
                               "arguments": json.loads(call["function"]["arguments"])}}
                 for call in message.get("tool_calls", [])]
        one = {"role": message["role"], "content": message["content"] or ""}
        if calls:
            one["tool_calls"] = calls
        if message["role"] == "tool":
            one["tool_name"] = "get_weather"
        made.append(one)
    return made


def check_ollama_tools(server):
    client, schemas = ollama_of(server), api_schema.Ollama()
    assert client.show("any").capabilities == ["completion", "embedding", "tools"]
    shown = as_ollama(shown_calls("Paris"))
    asked = {"model": "any", "messages": shown, "options": LIMIT}
    whole = client.chat(tools=[get_weather], **asked)
    [call] = whole.message.tool_calls
    assert call.function.name == "get_weather" and call.function.arguments["city"] == "Paris"
    assert whole.message.content == "" and whole.done_reason == "stop"
    answer = shown + [whole.message, {"role": "tool", "tool_name": "get_weather",
                                      "content": get_weather(**call.function.arguments)}]
    assert client.chat(model="any", messages=answer, options=SHORT).message.content
    *pieces, end = client.chat(tools=[WEATHER], stream=True, **asked)
    assert end.done and not end.message.tool_calls and end.done_reason == "stop"
    [streamed] = [c for piece in pieces for c in piece.message.tool_calls or []]
    assert streamed.function == call.function
    body = asked | {"tools": [WEATHER]}
    schemas.check("ChatResponse", server.post("/api/chat", body | {"stream": False})[2])
    for event in lines(server, "/api/chat", body)[:-1]:
        schemas.check("ChatStreamEvent", event)
    raises(ollama.ResponseError, lambda: client.chat(tools=[get_weather], format=CITY, **asked))


def as_anthropic(messages):
    made = []
    for message in messages:
        blocks = [{"type": "text", "text": message["content"]}] if message["content"] else []
        blocks += [{"type": "tool_use", "id": call["id"], "name": call["function"]["name"],
                    "input": json.loads(call["function"]["arguments"])}
                   for call in message.get("tool_calls", [])]
        if message["role"] == "tool":
            made.append({"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": message["tool_call_id"],
                 "content": message["content"]}]})
        else:
            made.append({"role": message["role"], "content": blocks})
    return made


def check_anthropic_tools(server):
    client = anthropic_of(server)
    tools = [{"name": "get_weather", "description": "Weather of a city",
              "input_schema": WEATHER["function"]["parameters"]}]
    asked = {"model": "any", "max_tokens": 60, "tools": tools, "extra_body": {"temperature": 0}}
    for choice in [{"type": "any"}, {"type": "tool", "name": "get_weather"}]:
        forced = client.messages.create(messages=PARIS, tool_choice=choice, **asked)
        [call] = forced.content
        assert call.type == "tool_use" and set(call.input) == {"city", "unit"}
        assert forced.stop_reason == "tool_use"
    answer = PARIS + [{"role": "assistant", "content": forced.content},
                      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id,
                                                    "content": "21 degrees"}]}]
    said = client.messages.create(messages=answer, tool_choice={"type": "none"}, **asked)
    assert said.content[0].type == "text" and said.stop_reason in ("end_turn", "max_tokens")
    shown = as_anthropic(shown_calls("Paris"))
    choice = {"tool_choice": {"type": "auto" if serving.CALLS_BY_ITSELF else "any"}}
    free = asked | choice
    whole = client.messages.create(messages=shown, **free)
    [call] = whole.content
    assert set(call.input) == {"city", "unit"} and whole.stop_reason == "tool_use"
    assert call.input["city"] == "Paris" or not serving.CALLS_BY_ITSELF
    with client.messages.stream(messages=shown, **free) as stream:
        events = [event.type for event in stream]
        final = stream.get_final_message()
    assert [block.input for block in final.content] == [call.input]
    assert final.stop_reason == "tool_use" and events.count("content_block_stop") == 1
    counted = client.messages.count_tokens(model="any", messages=shown, tools=tools,
                                           **choice)
    assert counted.input_tokens == whole.usage.input_tokens == final.usage.input_tokens
    error = raises(anthropic.BadRequestError, lambda: client.messages.create(
        messages=PARIS, **asked | {"tools": [{"type": "web_search_20250305",
                                              "name": "web_search"}]}))
    assert error.body["error"]["message"].startswith("tools:"), error.body


def main():
    with serving.Server(BINARY) as server:
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                test(server)
                print(f"{name}: ok", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        with serving.Server(BINARY, model=serving.tools_model(folder)) as server:
            check_anthropic_tools(server)
        # Ollama's clients cannot say that a call must come: the model has to make it by itself.
        model = pathlib.Path(folder, "whole.gguf")
        gguf_template.copy(serving.MODEL, model, TEMPLATE)
        with serving.Server(BINARY, model=model) as server:
            check_ollama_tools(server)
    print("tools: ok")


if __name__ == "__main__":
    main()
