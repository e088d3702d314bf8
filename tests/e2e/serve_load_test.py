#!/usr/bin/env python3
"""serve_load_test BINARY [full] - many clients at once: streams of which some are cut, connections
that do nothing or send a byte now and then, floods. What is held afterwards is what was held before.
`full` is the same with 500 streams, 10,000 connections for 60 s, 5,000 requests."""

import asyncio
import json
import os
import pathlib
import random
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time

import serving
from serving import user

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
MODEL = None  # main's
FULL = "full" in sys.argv[2:]
LIGHT = os.environ.get("COHORT_TEST_LIGHT") == "1"  # under a sanitizer
CHAT = "/v1/chat/completions"
STREAMS = 500 if FULL else 12 if LIGHT else 60
IDLE, IDLE_S = (10000, 60) if FULL else (200 if LIGHT else 1000, 0)
SLOW_S = 10  # between two bytes of a slow connection
HONEST = 1000 if FULL else 20 if LIGHT else 200
FLOOD = 5000 if FULL else 60 if LIGHT else 300
REQUESTS_MAX = 16384  # that a server holds
WAIT_S = 600


def wait_until(holds, told):
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end, told()
        time.sleep(0.02)


class Rest:
    """What a server holds when nothing is asked of it: no page of the KV pool but what may be taken
    at any time, no descriptor or thread more than at first."""

    def __init__(self, server):
        self.server = server
        self.held = server.threads(), server.descriptors()

    def is_back(self):
        now, server = self.server.metrics(), self.server
        busy = [now[name] for name in ("cohort:flights", "vllm:num_requests_running",
                                       "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc",
                                       "cohort:http_body_bytes")]
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
    some = asyncio.run(run_streams(server, cut))
    rest.await_it()
    for i in range(STREAMS):
        assert i in cut or text_of(some[i]) == whole[i], (i, text_of(some[i]), whole[i])
    print(f"  {STREAMS} streams, {len(cut)} cut, {sum(some[i] is None for i in cut)} of them midway; "
          f"of pages, descriptors and threads as many as before: {rest.held}")


def test_who_leaves_is_gone_within_steps(server):
    """Steps of the engine from a client's leaving on, streamed to or held: what runs ends, nothing else
    begins. How many
    were between the server's noticing and the end it counts itself; a step has at most one prefill
    chunk of a sequence."""
    took, count = [], 3 if LIGHT else 10
    aborted = server.finished("abort")
    for number in range(count):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(request_bytes(user(f"Count from {number} on.", stream=number % 2 == 0,
                                              ignore_eos=True, max_tokens=4000)))
            wait_until(lambda: server.metrics()["vllm:num_requests_running"] == 1, server.metrics)
            before = server.metrics()["cohort:steps_total"]
        wait_until(lambda: server.metrics()["vllm:num_requests_running"] == 0, server.metrics)
        steps = server.metrics()["cohort:steps_total"]
        time.sleep(0.05)
        assert server.metrics()["cohort:steps_total"] == steps, "it goes on"
        took.append(int(steps - before))
    late = server.metrics()["cohort:cancel_steps_max"]
    print("  steps from a look before the cut until the end:", sorted(took),
          f"; from the server's noticing, of all that were cut: {late:.0f} at most")
    assert late <= 1, late
    assert server.finished("abort") == aborted + count  # none came to its end by itself


# ---- connections that do nothing, or little ----

def open_idle(port, count):
    """Connections from several addresses of this machine, so that ports do not run out; half say
    nothing, half send a part of a request."""
    held = []
    for i in range(count):
        client = socket.create_connection(("127.0.0.1", port), WAIT_S, (f"127.0.0.{2 + i % 8}", 0))
        if i % 2:
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        held.append(client)
    return held


def hold(port, count):
    """A process of its own: says "held" when they are open, then sends a byte on each of the slow
    ones every SLOW_S, a few at a time, until its input ends."""
    held = open_idle(port, count)
    print("held", flush=True)
    slow, at = held[1::2], 0
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        for _ in range(max(1, int(len(slow) * 0.05 / SLOW_S))):
            slow[at % len(slow)].send(b"a")
            at += 1
    print("lost", sum(not is_open(client) for client in held), flush=True)


def is_open(client):
    client.setblocking(False)
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


class Holder:
    """Connections held by another process: as a context."""

    def __init__(self, server, count):
        self.child = subprocess.Popen([sys.executable, __file__, "hold", str(server.port), str(count)],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout.readline() == "held\n"

    def __enter__(self):
        return self

    def end(self):
        """How many the server had closed."""
        told = self.child.communicate()[0].split()
        return int(told[1])

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.communicate()


class Honest:
    """A client that asks one thing after another, and how long each took."""

    def __init__(self, server):
        self.server = server
        self.sent = request_bytes(user("Say a word.", max_tokens=2))
        self.times = []

    def ask(self, count):
        for _ in range(count):
            start = time.perf_counter()
            assert status_of(self.server.talk(self.sent)) == 200
            self.times.append(time.perf_counter() - start)

    def p99(self):
        return sorted(self.times)[int(0.99 * (len(self.times) - 1))]


def processor_of(server, work):
    """Seconds of a processor that the server spends on it."""
    before = server.processor_s()
    work()
    return server.processor_s() - before


def test_connections_that_do_nothing(server):
    """What each takes; what a request costs beside them; and, in full, how long one waits."""
    alone, beside = Honest(server), Honest(server)
    alone.ask(20)
    alone.times.clear()
    at_rest = server.resident_kib()
    spent = [processor_of(server, lambda: alone.ask(HONEST))]
    with Holder(server, IDLE) as holder:
        end = time.monotonic() + IDLE_S
        spent.append(processor_of(server, lambda: beside.ask(HONEST)))
        while time.monotonic() < end:
            beside.ask(HONEST)
        assert server.metrics()["cohort:http_connections"] >= IDLE
        each = (server.resident_kib() - at_rest) * 1024 / IDLE
        lost = holder.end()
    wait_until(lambda: server.metrics()["cohort:http_connections"] < 5, server.metrics)
    alone.ask(HONEST)  # so that what the machine does meanwhile is in both
    print(f"  {IDLE} connections for {IDLE_S} s: {each:.0f} bytes each, {lost} closed; a request takes "
          f"{spent[0] / HONEST * 1e3:.2f} ms of processor alone, {spent[1] / HONEST * 1e3:.2f} ms beside "
          f"them; p99 of {len(alone.times)} {alone.p99() * 1e3:.1f} ms alone, of {len(beside.times)} "
          f"{beside.p99() * 1e3:.1f} ms beside them")
    assert lost == 0 or IDLE_S > 70, lost
    if not LIGHT:  # a sanitizer's own memory and work are not ours
        assert each <= 8192, each
        assert spent[1] <= 2 * spent[0], spent
    if FULL:  # on a machine that does nothing else
        assert beside.p99() <= 2 * alone.p99(), (beside.p99(), alone.p99())


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
    sent = request_bytes(user("Say a word.", max_tokens=tokens, ignore_eos=True), *headers)
    return await asyncio.gather(*(exchange(server, sent) for _ in range(count)))


def test_more_than_are_held(binary):
    """Those beyond are refused, and told when to come again; the memory is that of the first flood."""
    with serving.Server(binary, "--requests", "32", model=MODEL) as server:
        rest, resident, told = Rest(server), [], []
        for _ in range(4 if FULL else 2):
            got = asyncio.run(flood(server, FLOOD))
            told += [status_of(one) for one in got]
            assert all(b"\r\nRetry-After: " in one for one in got if status_of(one) == 429)
            rest.await_it()
            resident.append(server.resident_kib())
        assert set(told) == {200, 429}, set(told)
        print(f"  {len(told)} requests of which 32 are held: {told.count(200)} answered, "
              f"{told.count(429)} refused; resident after each {FLOOD}: {resident} KiB")
        grown = max(resident) - resident[0]  # what connections leave behind differs a little
        assert LIGHT or grown < max(4 << 10, 6 * FLOOD), resident


def keys_server(binary, requests):
    """One that knows the keys a and b. The file may go once it has begun."""
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys:
        keys.write("a\nb\n")
        keys.flush()
        return serving.Server(binary, "--api-keys", keys.name, "--requests", str(requests), model=MODEL)


def test_a_flood_beyond_what_is_held(binary):
    """A asks for more than is held, again and again; B, who asks one thing at a time, is never refused."""
    told, is_over = [], threading.Event()

    def ask_one_by_one(server):
        sent = request_bytes(user("One.", max_tokens=2), "X-Api-Key: b")
        while not is_over.is_set():
            told.append(status_of(server.talk(sent)))

    with keys_server(binary, 64) as server:
        other = threading.Thread(target=ask_one_by_one, args=(server,))
        other.start()
        refused = 0
        while len(told) < 20:
            got = asyncio.run(flood(server, FLOOD, "X-Api-Key: a", tokens=200))
            refused += sum(status_of(one) == 429 for one in got)
        is_over.set()
        other.join()
    print(f"  A was refused {refused} times, B answered {len(told)} times")
    assert set(told) == {200} and refused > 0, (told, refused)


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
    server = keys_server(binary, min(FLOOD * 4, REQUESTS_MAX))
    with server:
        open_then, told = asyncio.run(flood_beside_one(server))
        print(f"  {FLOOD} requests of A; open when B's were answered: {open_then}")
        assert told.count(200) == FLOOD and open_then[0] > FLOOD // 6, (open_then, set(told))


def main():
    global MODEL
    with tempfile.TemporaryDirectory() as folder:
        MODEL = serving.small_model(folder)
        if not MODEL:
            print("a small model is missing; see tools/scripts/setup")
            sys.exit(77)
        with serving.Server(BINARY, "--body-max", "2", model=MODEL) as server:
            server.post(CHAT, user("warm up"))
            for name, test in list(globals().items()):
                if name.startswith("test_"):
                    start = time.monotonic()
                    test(BINARY if "binary" in test.__code__.co_varnames[:1] else server)
                    print(f"ok {name} {time.monotonic() - start:.1f} s", flush=True)


if sys.argv[1] == "hold":
    hold(int(sys.argv[2]), int(sys.argv[3]))
else:
    main()
