#!/usr/bin/env python3
"""serve_http_test BINARY - what may come over a socket: odd HTTP by hand. All ends in a status or a
closed connection; the server lives, and nothing is left behind."""

import concurrent.futures
import http.client
import json
import pathlib
import re
import select
import socket
import sys
import time

import serving

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
CHAT = "/v1/chat/completions"
BODY = json.dumps(serving.user("Once", max_tokens=1)).encode()
REUSED, REQUEST_S = 1000, 60
IDLE_S = 1


def statuses(got):
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3}) ", got)]


def library(status):
    """libmicrohttpd 0.9.75 writes the head of a refusal of its own twice, then closes."""
    return [[status], [status, status]]


def head(line, *headers, close=True):
    fields = ["Host: localhost", *headers] + (["Connection: close"] if close else [])
    return "\r\n".join([line, *fields, "", ""]).encode()


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def post(*headers, body=BODY, close=True):
    return head(f"POST {CHAT} HTTP/1.1", *headers, close=close) + body


def odd_requests():
    """(name, bytes, the statuses that may come: None is a closed connection without one)."""
    size = f"Content-Length: {len(BODY)}"
    te = "Transfer-Encoding: chunked"
    get = head("GET /ping HTTP/1.1")
    return [
        ("expect", post(size, "Expect: 100-continue"), [[100, 200], [200]]),
        ("chunked", post(te, body=chunked(BODY[:9], BODY[9:])), [[200]]),
        ("chunk without a size", post(te, body=b"zz\r\n" + BODY), [[400], []]),
        ("chunk of 2^64", post(te, body=b"ffffffffffffffffff\r\n" + BODY), [[400], [413], []]),
        ("two framings", post(size, te, body=chunked(BODY)), [[400], []]),
        ("two lengths", post(size, "Content-Length: 1"), [[400], []]),
        ("two equal lengths", post(size, size), [[400], []]),
        ("negative length", post("Content-Length: -1"), library(400)),
        ("length no number", post("Content-Length: 1x"), library(400)),
        ("length of 2^64", post("Content-Length: 18446744073709551616"), library(413)),
        ("large length", post("Content-Length: 99999999999"), [[413]]),
        ("unknown encoding", post("Transfer-Encoding: gzip", body=chunked(BODY)), [[400], [501], []]),
        ("pipelined", head("GET /ping HTTP/1.1", close=False) * 3 + get, [[200] * 4]),
        ("no method", b"\r\n\r\n\r\n" + get, [[200], [400], []]),
        ("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", [[400], []]),
        ("no version", b"GET /ping\r\n\r\n", [[400], []]),
        ("HTTP/2", head("GET /ping HTTP/2.0"), [[400], [505], []]),
        ("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [[400], [403], [405], [505], []]),
        ("HTTP/1.0", b"GET /ping HTTP/1.0\r\nHost: localhost\r\n\r\n", [[200]]),
        ("HTTP/1.1 without Host", b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n", library(400)),
        ("HEAD", head("HEAD /ping HTTP/1.1"), [[200]]),
        ("OPTIONS *", head("OPTIONS * HTTP/1.1"), [[404], [405], [400]]),
        ("absolute", head("GET http://localhost/ping HTTP/1.1"), [[200], [404], [400]]),
        ("NUL in path", head("GET /pi\0ng HTTP/1.1"), [[400], [404], []]),
        ("%00 in path", head("GET /ping%00x HTTP/1.1"), [[400], [404], []]),
        ("bare LF", b"GET /ping HTTP/1.1\nHost: localhost\nConnection: close\n\n", [[200], [400], []]),
        ("folded header", head("GET /ping HTTP/1.1", "X-A: b\r\n c"), [[200], [400], []]),
        ("space before colon", head("GET /ping HTTP/1.1", "X-A : b"), [[200], [400], []]),
        ("header of 64 KB", head("GET /ping HTTP/1.1", "X-A: " + "a" * 65536), [[431], [413]]),
        ("4,000 headers", head("GET /ping HTTP/1.1", *["X: y"] * 4000), [[431], [413]]),
        ("path of 64 KB", head("GET /" + "a" * 65536 + " HTTP/1.1"), [[414], [431]]),
        ("path of 2 KB", head("GET /" + "a" * 2048 + " HTTP/1.1"), [[414]]),
        ("body on GET", head("GET /ping HTTP/1.1", "Content-Length: 4") + b"body", [[200]]),
        ("body of a type", post(size, "Content-Type: text/plain"), [[200], [415]]),
    ]


def test_odd_requests(server):
    wrong = []
    for name, sent, wanted in odd_requests():
        got = statuses(server.talk(sent, wait_s=REQUEST_S))
        if got not in wanted:
            wrong.append((name, got, wanted))
    assert not wrong, wrong


def test_head_has_no_body(server):
    got = server.talk(head("HEAD /ping HTTP/1.1"))
    assert got.endswith(b"\r\n\r\n") and b"Content-Length: 4" in got, got


def test_half_of_anything(server):
    """A client that stops in the middle and closes its half: at the latest --idle ends it."""
    whole = post(f"Content-Length: {len(BODY)}")
    for end in [1, 5, 20, whole.index(b"\r\n\r\n") + 2, len(whole) - len(BODY), len(whole) - 1]:
        start = time.monotonic()
        got = statuses(server.talk(whole[:end], shuts=True, wait_s=REQUEST_S))
        assert got in ([], [400]), (end, got)
        assert time.monotonic() - start < REQUEST_S, end


def trickle(server, begin):
    """Byte after byte, without an end: whether the server hangs up. It gives up late."""
    sent = [begin]
    with socket.create_connection(("127.0.0.1", server.port), REQUEST_S) as connection:
        end = time.monotonic() + 3 * REQUEST_S
        while time.monotonic() < end:
            for piece in sent:
                try:
                    connection.sendall(piece)
                    if select.select([connection], [], [], 0.1)[0] and not connection.recv(4096):
                        return True
                except (BrokenPipeError, ConnectionResetError):
                    return True
            sent = [b"a"]
    return False


def stay(server):
    """Many requests on one connection, for longer than one may take: whether it is kept. Where
    this test itself stood still for too long, once more."""
    while True:
        longest = 0
        with socket.create_connection(("127.0.0.1", server.port), REQUEST_S) as connection:
            begin = last = time.monotonic()
            try:
                while last < begin + 4.5 * IDLE_S:
                    connection.sendall(head("GET /ping HTTP/1.1", close=False))
                    assert connection.recv(4096).startswith(b"HTTP/1.1 200")
                    time.sleep(0.1 * IDLE_S)
                    longest = max(longest, time.monotonic() - last)
                    last = time.monotonic()
                return True
            except (AssertionError, BrokenPipeError, ConnectionResetError):
                if max(longest, time.monotonic() - last) < 0.8 * IDLE_S:
                    return False


def listen(server):
    """A reply that takes longer than a request may: whether it comes on."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=REQUEST_S)
    connection.request("POST", CHAT, json.dumps(serving.user(
        "Count.", max_tokens=400, n=16, ignore_eos=True, stream=True)))
    reply, end = connection.getresponse(), time.monotonic() + 4.5 * IDLE_S
    while time.monotonic() < end and (line := reply.readline()) != b"data: [DONE]\n":
        if not line:
            return False
    reply.close()
    return True


def check_requests_without_an_end():
    """A byte now and then keeps a connection from being idle, and yet it is not kept."""
    with serving.Server(BINARY, "--idle", str(IDLE_S), "--context", "512") as server, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        kept = [pool.submit(call, server) for call in (stay, listen)]
        shut = pool.map(lambda sent: trickle(server, sent),
                        [b"GET /pi", b"GET /ping HTTP/1.1\r\nX: ",
                         head("GET /ping HTTP/1.1", close=False) + b"GET /pi",
                         post("Content-Length: 100000", body=b"")])
        assert list(shut) == [True] * 4 and all(call.result() for call in kept)
        assert server.metrics()["cohort:http_refused_total"] >= 4


def test_one_connection_again_and_again(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=REQUEST_S)
    connection.connect()
    own = connection.sock
    for i in range(REUSED):
        if i % 100 == 50:
            connection.request("POST", CHAT, BODY)
        else:
            connection.request("GET", "/ping")
        reply = connection.getresponse()
        assert reply.status == 200 and reply.read(), (i, reply.status)
        assert connection.sock is own, f"closed after {i} requests"
    connection.close()


def test_nothing_is_left(server):
    def is_clean():
        now = server.metrics()
        return (now["cohort:flights"], now["vllm:num_requests_running"], server.threads(),
                server.descriptors() <= server.at_rest[1]) == (0, 0, server.at_rest[0], True)
    end = time.monotonic() + REQUEST_S
    while not is_clean():
        assert time.monotonic() < end, (server.metrics(), server.threads(), server.descriptors())
        time.sleep(0.05)


def main():
    if not serving.ANY_MODEL.exists():
        print("the demo model is missing; see tools/scripts/setup")
        sys.exit(77)
    with serving.Server(BINARY, "--idle", "2", "--context", "512") as server:
        assert server.ask("POST", CHAT, BODY)[0] == 200
        server.at_rest = server.threads(), server.descriptors()
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                start = time.monotonic()
                test(server)
                print(f"ok {name} {time.monotonic() - start:.1f} s")
    check_requests_without_an_end()
    print("ok check_requests_without_an_end")


main()
