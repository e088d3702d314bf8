#!/usr/bin/env python3
"""openai_clients_test BINARY - OpenAI's own client and LangChain's against cohort serve; replies
against OpenAI's description of its API."""

import asyncio
import json
import pathlib
import sys
import tempfile
import time

import clients

clients.enter()

import langchain_openai
import openai
import pydantic

import api_schema
import serving
from serve_openai_template import WEATHER, shown_calls
from serving import user

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
CHAT = "/v1/chat/completions"
RAIN = [{"role": "user", "content": "Say a word about rain."}]
SHORT = {"model": "any", "temperature": 0, "max_tokens": 8}


class City(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    name: str = pydantic.Field(max_length=20)
    is_large: bool


def client_of(server, **options):
    return openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none",
                         max_retries=0, **options)


def tokens_of(server, text):
    """How many tokens it is to the model at hand."""
    return server.post("/tokenize", {"content": text})[2]["count"]


def raises(kind, call, **fields):
    try:
        call()
    except kind as error:
        for name, value in fields.items():
            assert getattr(error, name) == value, (error, name, value)
        return error
    raise AssertionError(f"no {kind.__name__}")


def test_chat(server):
    client = client_of(server)
    whole = client.chat.completions.create(messages=RAIN, n=2, logprobs=True, top_logprobs=2,
                                           **SHORT)
    text = whole.choices[0].message.content
    assert text and whole.choices[1].message.content == text
    assert len(whole.choices[0].logprobs.content) == whole.usage.completion_tokens / 2 == 8
    assert len(whole.choices[0].logprobs.content[0].top_logprobs) == 2
    chunks = list(client.chat.completions.create(messages=RAIN, stream=True, stream_options={
        "include_usage": True}, **SHORT))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text
    assert chunks[-1].usage.completion_tokens == 8
    with client.chat.completions.stream(messages=RAIN, **SHORT) as stream:
        cut = raises(openai.LengthFinishReasonError, stream.get_final_completion)
    assert cut.completion.choices[0].message.content == text


def test_schema(server):
    client = client_of(server)
    asked = SHORT | {"max_tokens": 60}
    messages = [{"role": "user", "content": "Tell of Paris in JSON."}]
    parsed = client.chat.completions.parse(messages=messages, response_format=City, **asked)
    assert isinstance(parsed.choices[0].message.parsed, City)
    free = client.chat.completions.create(messages=messages, response_format={
        "type": "json_object"}, **asked | {"max_tokens": 200})
    if free.choices[0].finish_reason == "stop":
        json.loads(free.choices[0].message.content)
    answer = client.responses.parse(model="any", input="Tell of Paris in JSON.", temperature=0,
                                    max_output_tokens=60, text_format=City)
    assert isinstance(answer.output_parsed, City)


def test_text_and_vectors(server):
    client = client_of(server)
    said = client.completions.create(model="any", prompt=["The rain in", "A cat"], max_tokens=4,
                                     temperature=0, logprobs=1, echo=True)
    assert [c.index for c in said.choices] == [0, 1]
    assert said.choices[0].logprobs.token_logprobs[0] is None
    assert said.choices[0].text.startswith("The rain in")
    streamed = client.completions.create(model="any", prompt="The rain in", max_tokens=4,
                                         temperature=0, stream=True)
    assert "The rain in" + "".join(c.choices[0].text for c in streamed) == said.choices[0].text
    scored = client.completions.create(model="any", prompt="The rain in", max_tokens=0,
                                       echo=True, logprobs=1)
    assert scored.choices[0].logprobs.token_logprobs == \
        said.choices[0].logprobs.token_logprobs[:tokens_of(server, "The rain in")]
    packed = client.embeddings.create(model="any", input=["a cat", "a dog"])
    plain = client.embeddings.create(model="any", input="a cat", encoding_format="float")
    assert packed.data[0].embedding == plain.data[0].embedding
    assert packed.usage.prompt_tokens == tokens_of(server, "a cat") + tokens_of(server, "a dog")


def test_responses(server):
    client = client_of(server)
    said = client.chat.completions.create(messages=RAIN, **SHORT).choices[0].message.content
    asked = {"model": "any", "input": RAIN[0]["content"], "temperature": 0,
             "max_output_tokens": 8}
    whole = client.responses.create(**asked)
    assert whole.output_text == said and whole.status == "incomplete"
    with client.responses.stream(**asked) as stream:
        events = list(stream)
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == said
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.output_text == said
    with client.responses.stream(text_format=City, **asked | {"max_output_tokens": 60}) as stream:
        assert isinstance(stream.get_final_response().output_parsed, City)
    assert client.conversations.create().id


def test_models_and_errors(server):
    client = client_of(server)
    name = client.models.list().data[0].id
    assert client.models.retrieve(name).id == name
    raises(openai.NotFoundError, lambda: client.models.retrieve("other"))
    raises(openai.BadRequestError, lambda: client.chat.completions.create(
        messages=RAIN, **SHORT | {"temperature": 3}), param="temperature", status_code=400)
    raises(openai.BadRequestError, lambda: client.completions.create(
        model="any", prompt="a", suffix="b"), param="suffix")
    raises(openai.APITimeoutError, lambda: client.with_options(timeout=0.2).chat.completions
           .create(messages=RAIN, extra_body={"ignore_eos": True}, **SHORT | {
               "max_tokens": 4000}))


def test_leaving(server):
    client, aborted = client_of(server), server.finished("abort")
    stream = client.chat.completions.create(messages=RAIN, stream=True, extra_body={
        "ignore_eos": True}, **SHORT | {"max_tokens": 6000})
    next(iter(stream))
    stream.close()
    client.chat.completions.create(messages=RAIN, **SHORT)
    end = time.monotonic() + serving.GIVE_UP_S
    while server.finished("abort") == aborted:  # it did not come to its own end
        assert time.monotonic() < end, server.metrics()
        time.sleep(0.02)


def test_many_at_once(server):
    async def ask_all():
        async with openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{server.port}/v1",
                                      api_key="none", max_retries=0) as client:
            return await asyncio.gather(*(client.chat.completions.create(messages=RAIN, **SHORT)
                                          for _ in range(8)))
    texts = {reply.choices[0].message.content for reply in asyncio.run(ask_all())}
    assert len(texts) == 1


def test_langchain(server):
    base = f"http://127.0.0.1:{server.port}/v1"
    chat = langchain_openai.ChatOpenAI(base_url=base, api_key="none", model="any",
                                       temperature=0, max_tokens=60, max_retries=0)
    said = chat.invoke("Say a word about rain.").content
    assert said and "".join(c.content for c in chat.stream("Say a word about rain.")) == said
    assert isinstance(chat.with_structured_output(City, method="json_schema").invoke(
        "Tell of Paris in JSON."), City)
    embedder = langchain_openai.OpenAIEmbeddings(base_url=base, api_key="none", model="any",
                                                 check_embedding_ctx_length=False)
    assert len(embedder.embed_documents(["a cat", "a dog"])) == 2


def test_replies_are_as_described(server):
    schemas = api_schema.Schemas()
    ask = user("Say a word.", logprobs=True, top_logprobs=2, n=2)
    schemas.check("CreateChatCompletionResponse", server.post(CHAT, ask)[2])
    usage = {"stream": True, "stream_options": {"include_usage": True}}
    for event in server.events(CHAT, ask | usage)[:-1]:
        schemas.check("CreateChatCompletionStreamResponse", json.loads(event))
    text = {"prompt": ["a", "b"], "logprobs": 2, "max_tokens": 4}
    schemas.check("CreateCompletionResponse", server.post("/v1/completions", text)[2])
    schemas.check("CreateEmbeddingResponse", server.post("/v1/embeddings", {"input": "a"})[2])
    said = {"input": "Say a word.", "max_output_tokens": 4}
    schemas.check("Response", server.post("/v1/responses", said)[2])
    got = server.post("/v1/responses", said | {"stream": True})[2].decode()
    for block in got.strip().split("\n\n"):
        schemas.check("ResponseStreamEvent", json.loads(block.split("data: ", 1)[1]))
    schemas.check("ConversationResource", server.post("/v1/conversations", {})[2])
    schemas.check("ListModelsResponse", server.ask("GET", "/v1/models")[2])
    schemas.check("ErrorResponse", server.post(CHAT, {})[2])


def check_tools(server):
    schemas, client = api_schema.Schemas(), client_of(server)
    asked = SHORT | {"max_tokens": 60, "tools": [WEATHER]}
    paris = [{"role": "user", "content": "What is the weather in Paris?"}]
    forced = client.chat.completions.create(messages=paris, tool_choice="required", **asked)
    [call] = forced.choices[0].message.tool_calls
    assert set(json.loads(call.function.arguments)) == {"city", "unit"}
    answer = paris + [forced.choices[0].message, {"role": "tool", "tool_call_id": call.id,
                                                  "content": "21 degrees"}]
    assert client.chat.completions.create(messages=answer, **asked).choices[0].message.content
    free = asked | {"messages": shown_calls("Paris")}
    if not serving.CALLS_BY_ITSELF:
        free |= {"tool_choice": "required"}
    with client.chat.completions.stream(**free) as stream:
        [call] = stream.get_final_completion().choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments)["city"] == "Paris" or not serving.CALLS_BY_ITSELF
    schemas.check("CreateChatCompletionResponse", server.post(CHAT, free)[2])
    for event in server.events(CHAT, free | {"stream": True})[:-1]:
        schemas.check("CreateChatCompletionStreamResponse", json.loads(event))
    chat = langchain_openai.ChatOpenAI(base_url=f"http://127.0.0.1:{server.port}/v1",
                                       api_key="none", model="any", temperature=0,
                                       max_tokens=60, max_retries=0)
    [call] = chat.bind_tools([WEATHER], tool_choice="get_weather").invoke(
        "What is the weather in Paris?").tool_calls
    assert call["name"] == "get_weather" and set(call["args"]) == {"city", "unit"}


def check_limits(binary):
    """Who has no key is told so; who comes too many is told to come again."""
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys:
        keys.write("secret\n")
        keys.flush()
        server = serving.Server(binary, "--api-keys", keys.name, "--requests", "1")
    with server:
        client = client_of(server)
        raises(openai.AuthenticationError, lambda: client.models.list(), status_code=401)
        client = client.with_options(api_key="secret")
        held = client.chat.completions.create(messages=RAIN, stream=True, extra_body={
            "ignore_eos": True}, **SHORT | {"max_tokens": 6000})
        next(iter(held))
        raises(openai.RateLimitError, lambda: client.chat.completions.create(
            messages=RAIN, **SHORT), status_code=429)
        assert client.models.list().data  # what costs nothing is told all the same
        held.close()
    print("ok check_limits")


def main():
    with serving.Server(BINARY) as server:
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                test(server)
                print("ok", name, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        with serving.Server(BINARY, model=serving.tools_model(folder)) as server:
            check_tools(server)
    print("ok check_tools")
    check_limits(BINARY)


main()
