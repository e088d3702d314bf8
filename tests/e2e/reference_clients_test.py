#!/usr/bin/env python3
"""reference_clients_test BINARY - the calls that the MinionS reference's own clients make, in the
order and with the fields in which they make them, over OpenAI's package as they do."""

import json
import os
import pathlib
import sys
import tempfile
import time
import urllib.request

import clients

clients.enter()

import openai

import serving

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
GIVE_UP_S = 120
CHUNKS = ["The harbour has four cranes.", "The offer is valid for three years.",
          "The moorings are twelve."]
JOBS = [{"role": "user", "content": f"{chunk} What does this say? Answer in a word."}
        for chunk in CHUNKS]
OUTPUT = {"explanation", "citation", "answer"}
# The small model never says that it is done: its answers end where its context does.
CONTEXT = ["--context", "256"] if serving.LIGHT else []


def get(url):
    """As requests.get does it: without a key."""
    with urllib.request.urlopen(url, timeout=GIVE_UP_S) as reply:
        return reply.status, reply.read()


class OpenAIClient:
    """What the reference's does with local=True: text, usage and finish reasons of each choice."""

    def __init__(self, base, model="local", max_tokens=4096, headers=None):
        self.base, self.model, self.max_tokens = base, model, max_tokens
        self.client = openai.OpenAI(api_key="none", base_url=base, default_headers=headers,
                                    max_retries=0)
        status, told = get(base + ("/health" if "api" in base else "/models"))
        assert status == 200 and json.loads(told)

    def chat(self, messages, **more):
        return self.told(self.client.chat.completions.create(
            **{"model": self.model, "messages": messages, "max_completion_tokens": self.max_tokens,
               "temperature": 0.0} | more))

    @staticmethod
    def told(reply):
        assert reply.usage.prompt_tokens > 0 and reply.usage.completion_tokens > 0
        return ([choice.message.content for choice in reply.choices],
                [choice.finish_reason for choice in reply.choices])

    def responses(self, messages, **more):
        conversation = self.client.conversations.create()
        reply = self.client.responses.create(**{
            "model": self.model, "input": messages, "max_output_tokens": self.max_tokens,
            "tools": None, "prompt_cache_key": "minions-v1", "store": False,
            "conversation": conversation.id} | more)
        assert reply.usage.input_tokens > 0 and reply.usage.output_tokens > 0
        return reply.output[0].content[0].text


class TokasaurusClient(OpenAIClient):
    """With port=, so that it starts no server of its own."""

    def __init__(self, port, model="meta-llama/Llama-3.2-1B-Instruct"):
        assert get(f"http://localhost:{port}/health")[0] == 200
        super().__init__(f"http://0.0.0.0:{port}/v1", model, 2048)

    def chat(self, messages, **more):
        return self.told(self.client.chat.completions.create(
            **{"model": self.model, "messages": messages, "max_tokens": self.max_tokens,
               "temperature": 0.2} | more))


def alone(server, **fields):
    """Each job by itself, where nothing is a batch."""
    texts = []
    for job in JOBS:
        status, _, reply = server.post("/v1/chat/completions", {
            "model": "m", "messages": [job], "temperature": 0} | fields, {"X-Minions-Batch": "0"})
        assert status == 200, reply
        texts.append(reply["choices"][0]["message"]["content"])
    return texts


def check_round(client, want):
    """A round's jobs in one call: as many texts, each of its own job, as `zip` wants them."""
    texts, reasons = client.chat(JOBS, temperature=0.0)
    assert texts == want, (texts, want)
    assert set(reasons) <= {"stop", "length"} and len(reasons) == len(JOBS), reasons


def check_job_outputs(client):
    client.model = "llama3.2:joboutput"
    texts, _ = client.chat(JOBS, temperature=0.0)
    assert len(texts) == len(JOBS)
    for text, chunk in zip(texts, JOBS):
        output = json.loads(text)
        assert set(output) == OUTPUT, output
        assert not output["citation"] or output["citation"] in chunk["content"], output


def test_openai_client(server):
    """By the header: the list is a batch. Without it, it is a conversation with one answer."""
    base = f"http://127.0.0.1:{server.port}/v1"
    want = alone(server)
    check_round(OpenAIClient(base, headers={"X-Minions-Batch": "1"}), want)
    check_job_outputs(OpenAIClient(base, headers={"X-Minions-Batch": "1"}))
    client = OpenAIClient(base)
    assert len(client.chat(JOBS)[0]) == 1
    [text], _ = client.chat(JOBS[:1], response_format={"type": "json_object"},
                            max_completion_tokens=100, service_tier="auto")
    assert text.lstrip().startswith("{"), text
    assert client.client.models.list().data[0].model_dump()["id"]


def test_openai_client_of_the_responses_api(server):
    client = OpenAIClient(f"http://127.0.0.1:{server.port}/v1", max_tokens=12)
    messages = [{"role": "developer", "content": "Be brief."}, JOBS[0]]
    assert client.responses(messages)
    assert client.responses(messages, service_tier="auto", text={"verbosity": "low"},
                            reasoning={"effort": "low"},
                            context_management=[{"type": "compaction", "compact_threshold": 9000}])


def test_tokasaurus_client(server):
    client = TokasaurusClient(server.port)
    assert get(f"http://0.0.0.0:{server.port}/ping") == (200, b"pong")
    texts, reasons = client.chat(JOBS[:1])
    assert texts[0] and reasons[0] in ("stop", "length")
    told = client.client.chat.completions.create(
        model="m", messages=JOBS[:1], max_tokens=4, n=2, stop=["\n\n"], seed=7, logprobs=True,
        top_logprobs=1, logit_bias={"11": -1}, metadata={"a": "b"}, extra_body={
            "ignore_eos": True, "logprobs_in_fingerprint": False,
            "apply_chat_template_overrides": None})
    assert [c.index for c in told.choices] == [0, 1]
    assert len(told.choices[0].logprobs.content) == 4


def test_tokasaurus_batch(server):
    """Its files and batches, as its users make them."""
    client = TokasaurusClient(server.port).client
    lines = [json.dumps({"custom_id": str(i), "method": "POST", "url": "/v1/chat/completions",
                         "body": {"model": "m", "messages": [job], "temperature": 0}})
             for i, job in enumerate(JOBS)]
    kept = client.files.create(file=("jobs.jsonl", "\n".join(lines).encode()), purpose="batch")
    batch = client.batches.create(input_file_id=kept.id, endpoint="/v1/chat/completions",
                                  completion_window="24h")
    end = time.monotonic() + GIVE_UP_S
    while batch.status not in ("completed", "failed", "cancelled"):
        assert time.monotonic() < end, batch
        time.sleep(0.02)
        batch = client.batches.retrieve(batch.id)
    told = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
    texts = {one["custom_id"]: one["response"]["body"]["choices"][0]["message"]["content"]
             for one in told}
    assert [texts[str(i)] for i in range(len(JOBS))] == alone(server), texts
    assert client.files.delete(kept.id).deleted


def test_other_clients(server):
    """Lemonade's, Docker's and Together's, where they differ from OpenAI's."""
    lemonade = OpenAIClient(f"http://127.0.0.1:{server.port}/api/v1", max_tokens=60)
    schema = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"],
              "additionalProperties": False}
    for more in ({"response_format": {"type": "json_object", "schema": schema}},
                 {"extra_body": {"json_schema": schema}}):
        [text], [reason] = lemonade.chat(JOBS[:1], **more)
        assert set(json.loads(text)) == {"a"} and reason == "stop", (more, text)
    assert get(f"http://127.0.0.1:{server.port}/api/v1/models")[0] == 200
    scored = lemonade.client.completions.create(model="m", prompt="The rain in Spain",
                                                max_tokens=0, echo=True, logprobs=1)
    told = scored.choices[0].logprobs
    assert len(told.tokens) == len(told.token_logprobs) > 2 and told.token_logprobs[0] is None


def check_flag():
    """Where the command says so, each list of users' messages is a batch: no client changes."""
    with serving.Server(BINARY, "--minions-batch", *CONTEXT) as server:
        want = alone(server)
        check_round(OpenAIClient(f"http://127.0.0.1:{server.port}/v1"), want)
        check_round(TokasaurusClient(server.port), want)
        check_job_outputs(TokasaurusClient(server.port))
        talk = [{"role": "system", "content": "Be brief."}, *JOBS]
        assert len(OpenAIClient(f"http://127.0.0.1:{server.port}/v1").chat(talk)[0]) == 1


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COHORT_STATE"] = folder
        with serving.Server(BINARY, *CONTEXT) as server:
            for name, test in list(globals().items()):
                if name.startswith("test_"):
                    test(server)
                    print("ok", name, flush=True)
        check_flag()
        print("ok check_flag")


main()
