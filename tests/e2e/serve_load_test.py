#!/usr/bin/env python3
"""serve_load_test BINARY [full] - many clients at once: streams of which some are cut, connections
that do nothing or send a byte now and then, floods. What is held afterwards is what was held before.
`full` is the same with 500 streams, 10,000 connections for 60 s, 5,000 requests."""

import asyncio
import json
import os
import pathlib
import random
import socket
import sys
import tempfile
import time

import serving
from serving import user

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
FULL = "full" in sys.argv[2:]
LIGHT = os.environ.get("COHORT_TEST_LIGHT") == "1"  # under a sanitizer
CHAT = "/v1/chat/completions"
STREAMS = 500 if FULL else 12 if LIGHT else 60
IDLE, IDLE_S = (10000, 60) if FULL else (200 if LIGHT else 1000, 0)
FLOOD = 5000 if FULL else 60 if LIGHT else 300
WAIT_S = 600


def wait_until(holds, told):
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end, told()
        time.sleep(0.02)


class Rest:
    """What a server holds when nothing is asked of it."""

    def __init__(self, server):
        self.server = server
        self.held = server.threads(), server.descriptors()

    def is_back(self):
        now, server = self.server.metrics(), self.server
        busy = [now[name] for name in ("cohort:flights", "vllm:num_requests_running",
                                       "vllm:num_requests_waiting", "cohort:http_body_bytes")]
        return (not any(busy) and now["cohort:http_requests"] == 1  # the asking itself
                and server.threads() == self.held[0] and server.descriptors() <= self.held[1])

    def await_it(self):
        wait_until(self.is_back, lambda: (self.server.metrics(), self.held, self.server.threads(),
                                          self.server.descriptors()))


def request_bytes(body, *headers, path=CHAT):
    sent = json.dumps(body).encode()
    fields = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close",
              f"Content-Length: {len(sent)}", *headers, "", ""]
    return "\r\n".join(fields).encode() + sent


async def exchange(server, sent, cut_after=None):
    """The whole reply; None where it was cut after so many bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(sent)
        await writer.drain()
        got = b""
        while cut_after is None or len(got) < cut_after:
            piece = await asyncio.wait_for(reader.read(65536), WAIT_S)
            if not piece:
                return got
            got += piece
        return None
    finally:
        writer.transport.abort() if cut_after is not None else writer.close()


def text_of(got):
    assert got.startswith(b"HTTP/1.1 200"), got[:200]
    said = ""
    for line in got.decode().split("\n"):
        line = line.strip()
        if line.startswith("data: {"):
            said += "".join(c["delta"].get("content") or "" for c in json.loads(line[6:])["choices"])
    assert "data: [DONE]" in got.decode()
    return said


def status_of(got):
    return int(got.split(b" ", 2)[1])


def stream(index):
    return request_bytes(user(f"Tell me about number {index % 16}.", stream=True, temperature=1,
                              seed=index, max_tokens=16))


async def run_streams(server, cut):
    return await asyncio.gather(*(exchange(server, stream(i), cut.get(i)) for i in range(STREAMS)))


def test_streams_that_are_cut(server):
    """What others do changes nobody's text, and nothing of those that left is kept."""
    source = random.Random(7)
    cut = {i: source.randrange(2500) for i in source.sample(range(STREAMS), STREAMS // 5)}
    rest = Rest(server)
    whole = [text_of(got) for got in asyncio.run(run_streams(server, {}))]
    rest.await_it()
    pages = server.metrics()["vllm:kv_cache_usage_perc"]
    some = asyncio.run(run_streams(server, cut))
    rest.await_it()
    for i in range(STREAMS):
        assert i in cut or text_of(some[i]) == whole[i], (i, text_of(some[i]), whole[i])
    after = server.metrics()["vllm:kv_cache_usage_perc"]
    print(f"  {STREAMS} streams, {len(cut)} cut, {sum(some[i] is None for i in cut)} of them midway; "
          f"KV in use {pages:.4f} -> {after:.4f}")


def test_who_leaves_is_gone_within_steps(server):
    """Steps of the engine from a client's leaving on: what runs ends, nothing else begins."""
    took = []
    for number in range(3 if LIGHT else 10):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(request_bytes(user(f"Count from {number} on.", stream=True,
                                              ignore_eos=True, max_tokens=4000)))
            got = b""
            while got.count(b"data: ") < 4:
                got += client.recv(65536)
            before = server.metrics()["cohort:steps_total"]
        wait_until(lambda: server.metrics()["vllm:num_requests_running"] == 0, server.metrics)
        steps = server.metrics()["cohort:steps_total"]
        time.sleep(0.05)
        assert server.metrics()["cohort:steps_total"] == steps, "it goes on"
        took.append(int(steps - before))
    print("  steps from a look before the cut until the end:", sorted(took))
    assert min(took) <= 2, took  # more where this process was not let run between look and cut


def quantile(server, share):
    times = []
    for _ in range(100 if FULL else 20):
        start = time.monotonic()
        status, _, _ = server.post(CHAT, user("Say a word.", max_tokens=2))
        times.append(time.monotonic() - start)
        assert status == 200
    return sorted(times)[int(share * (len(times) - 1))]


def hold(server, count):
    """Connections: half say nothing, half send a part of a request."""
    held = []
    for i in range(count):
        client = socket.create_connection(("127.0.0.1", server.port), WAIT_S)
        if i % 2:
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        held.append(client)
    return held


def trickle(held):
    for client in held[1::2]:
        try:
            client.send(b"a")
        except OSError:
            pass


def test_connections_that_do_nothing(server):
    quantile(server, 0.99)
    alone, before = quantile(server, 0.99), server.resident_kib()
    held = hold(server, IDLE)
    end = time.monotonic() + IDLE_S
    beside = [quantile(server, 0.99)]
    while time.monotonic() < end:
        trickle(held)
        beside.append(quantile(server, 0.99))
    trickle(held)
    assert server.metrics()["cohort:http_connections"] > IDLE
    each = (server.resident_kib() - before) * 1024 / IDLE
    print(f"  {IDLE} connections: {each:.0f} bytes each; p99 {alone * 1e3:.1f} ms alone, "
          f"{sorted(beside)[len(beside) // 2] * 1e3:.1f} ms beside them")
    for client in held:
        client.close()
    if not LIGHT:  # a sanitizer's own memory is not ours
        assert each <= 8192, each
    wait_until(lambda: server.metrics()["cohort:http_connections"] < 5, server.metrics)


def test_bodies_beyond_the_limits(server):
    head = (b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Content-Length: 3000000\r\n")
    assert status_of(server.talk(head + b"Expect: 100-continue\r\n\r\n")) == 413
    got = server.talk(head + b"\r\n" + b"a" * 3000000)  # a client that does not listen meanwhile
    assert got == b"" or status_of(got) == 413, got[:200]
    chunks = b"".join(b"10000\r\n" + b"a" * 65536 + b"\r\n" for _ in range(48)) + b"0\r\n\r\n"
    got = server.talk(b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                      b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert got == b"" or status_of(got) == 413, got[:200]


async def flood(server, count, *headers, tokens=4):
    sent = request_bytes(user("Say a word.", max_tokens=tokens), *headers)
    return await asyncio.gather(*(exchange(server, sent) for _ in range(count)))


def test_more_than_are_held(binary):
    with serving.Server(binary, "--requests", "32") as server:
        rest = Rest(server)
        asyncio.run(flood(server, 40))
        rest.await_it()
        before = server.resident_kib()
        got = asyncio.run(flood(server, FLOOD))
        told = [status_of(one) for one in got]
        assert set(told) == {200, 429}, set(told)
        assert all(b"\r\nRetry-After: " in one for one in got if status_of(one) == 429)
        rest.await_it()
        grown = server.resident_kib() - before
        print(f"  {FLOOD} requests of which 32 are held: {told.count(200)} answered, "
              f"{told.count(429)} refused; {grown} KiB more")
        assert LIGHT or grown < 16 << 10, grown


async def flood_beside_one(server):
    """How many of A's requests were still open when each of B's was answered."""
    a = [asyncio.ensure_future(exchange(server, request_bytes(
        user(f"Say {i}.", max_tokens=8, ignore_eos=True), "X-Api-Key: a"))) for i in range(FLOOD)]
    while sum(task.done() for task in a) < FLOOD // 10:
        await asyncio.sleep(0.01)
    open_then = []
    for _ in range(2):
        got = await exchange(server, request_bytes(user("One.", max_tokens=2), "X-Api-Key: b"))
        assert status_of(got) == 200, got
        open_then.append(sum(not task.done() for task in a))
    return open_then, [status_of(got) for got in await asyncio.gather(*a)]


def test_a_flood_with_one_key(binary):
    """The other's first request waits for a place in the batch, not for all that A asked before."""
    if LIGHT:
        return  # A must ask for more than a batch holds
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys:
        keys.write("a\nb\n")
        keys.flush()
        server = serving.Server(binary, "--api-keys", keys.name, "--requests", str(FLOOD * 4))
    with server:
        open_then, told = asyncio.run(flood_beside_one(server))
        print(f"  {FLOOD} requests of A; open when B's were answered: {open_then}")
        assert told.count(200) == FLOOD and open_then[0] > FLOOD // 6, (open_then, set(told))


def main():
    if not serving.ANY_MODEL.exists():
        print("the demo model is missing; see tools/scripts/setup")
        sys.exit(77)
    with serving.Server(BINARY, "--body-max", "2") as server:
        server.post(CHAT, user("warm up"))
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                start = time.monotonic()
                test(BINARY if "binary" in test.__code__.co_varnames[:1] else server)
                print(f"ok {name} {time.monotonic() - start:.1f} s", flush=True)


main()
