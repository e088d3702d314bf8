#!/usr/bin/env python3
"""serve_beside - the same jobs through `cohort batch` and through `cohort serve`, in turns.

    bench/serve_beside.py --cohort build/release/cohort -m MODEL [--chunks 16] [--turns 9] [--stream]

A small T3: chunks x 3 tasks, each a chunk all three share and a question of its own, 64 tokens out,
greedy, end of text ignored. Both sides get all jobs at once, on the same cores, and must answer the
same texts; who goes first changes from turn to turn, and each turn has texts of its own and a
server of its own, so that no prefix is left from the turn before. Loading is left out: of batch by
a run of one short job (the median of all turns' is subtracted), of serve since it runs already.

The client is one thread that makes all its requests before the clock starts, writes them to as many
sockets, and sleeps until bytes come; it reads texts out of the replies when the clock has stopped.
Its own processor time is printed: it is on the cores that the server has.

Prints jobs/s by the clock and by the engine's side's processor time, each turn's ratio, the median
ratios and how far they spread. Exit code 1: texts differ, or the median ratio by the clock is less
than --demand (the processor's says more on a machine that does other things, too)."""

import argparse
import json
import os
import pathlib
import random
import re
import resource
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TASKS, OUT = 3, 64
WORDS = "harbour crane offer valid source code river market train letter stone window".split()
QUESTIONS = ["What is said of the harbour?", "Which numbers are told?", "Who wrote the letter?"]
PATH = "/v1/chat/completions"


def jobs(args, turn):
    source = random.Random(1000 * args.seed + turn)
    made = []
    for chunk in range(args.chunks):
        text = " ".join(source.choice(WORDS) + str(source.randrange(100)) for _ in range(args.words))
        for task in range(TASKS):
            made.append({"model": "m", "temperature": 0, "max_tokens": OUT, "ignore_eos": True,
                         "messages": [{"role": "user", "content": f"{chunk}: {text}\n\n{QUESTIONS[task]}"}]})
    return made


def engine_options(args):
    return ["-m", args.model, "--precision", args.precision]


# ---- batch ----

def run_batch(args, bodies):
    """Seconds by the clock and of processor time, and the texts."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = os.path.join(folder, "in.jsonl"), os.path.join(folder, "out.jsonl")
        with open(source, "w", encoding="utf-8") as file:
            for number, body in enumerate(bodies):
                file.write(json.dumps({"custom_id": str(number), "method": "POST", "url": PATH,
                                       "body": body}) + "\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        subprocess.run([args.cohort, "batch", *engine_options(args), source, out], check=True,
                       stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wall = time.monotonic() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(out, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
    texts = {int(line["custom_id"]): line["response"]["body"]["choices"][0]["message"]["content"]
             for line in lines}
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, spent, [texts[number] for number in range(len(bodies))]


# ---- serve ----

def processor_s(pid):
    """Of all its threads, to the nanosecond."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) * 1e-9


def request_bytes(body):
    sent = json.dumps(body).encode()
    return (f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Length: {len(sent)}\r\n\r\n").encode() + sent


def exchange_all(port, requests):
    """What came for each, after all were written."""
    got = [bytearray() for _ in requests]
    waiting = selectors.DefaultSelector()
    for number, request in enumerate(requests):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(request)
        waiting.register(client, selectors.EVENT_READ, number)
    while waiting.get_map():
        for key, _ in waiting.select():
            piece = key.fileobj.recv(1 << 20)
            got[key.data] += piece
            if not piece:
                waiting.unregister(key.fileobj)
                key.fileobj.close()
    return got


def text_of(reply, stream):
    head, body = bytes(reply).split(b"\r\n\r\n", 1)
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"refused: {bytes(reply[:300])}")
    if not stream:
        return json.loads(body)["choices"][0]["message"]["content"]
    lines = [line.strip() for line in body.decode().split("\n")]
    chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    return "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])


def run_serve(args, bodies):
    """As run_batch, and the client's processor time."""
    requests = [request_bytes(body | {"stream": args.stream}) for body in bodies]
    server = subprocess.Popen([args.cohort, "serve", "-p", "0", *engine_options(args)],
                              stderr=subprocess.PIPE, text=True)
    try:
        port = next(int(m[1]) for m in (re.search(r"http://\S*:(\d+)$", line.strip())
                                        for line in server.stderr) if m)
        before, own, start = processor_s(server.pid), time.process_time(), time.monotonic()
        got = exchange_all(port, requests)
        wall = time.monotonic() - start
        own, spent = time.process_time() - own, processor_s(server.pid) - before
    finally:
        server.send_signal(signal.SIGTERM)
        server.stderr.read()
        server.wait()
    return wall, spent, [text_of(reply, args.stream) for reply in got], own


# ---- both ----

def run_turns(args):
    """Of each turn the seconds of batch with its loading, of serve, and of loading alone."""
    one = [jobs(args, 0)[0] | {"messages": [{"role": "user", "content": "a"}], "max_tokens": 1}]
    turns, same = [], 0
    for turn in range(args.turns):
        bodies = jobs(args, turn)
        loading = run_batch(args, one)[:2]
        if turn % 2:
            http = run_serve(args, bodies)
            file = run_batch(args, bodies)
        else:
            file = run_batch(args, bodies)
            http = run_serve(args, bodies)
        same += file[2] == http[2]
        turns.append((file[:2], http[:2], loading))
        print(f"turn {turn}: batch {file[0]:.2f} s, {file[1]:.2f} s of processor, of which loading "
              f"{loading[0]:.2f} and {loading[1]:.2f}; serve {http[0]:.2f} s, {http[1]:.2f} s "
              f"(and the client {http[3]:.2f} s)", flush=True)
    return turns, same


def tell(turns, count):
    """The median ratio by the clock."""
    medians = []
    for index, name in enumerate(("the clock", "processor time")):
        loading = statistics.median(turn[2][index] for turn in turns)
        batch = [turn[0][index] - loading for turn in turns]
        serve = [turn[1][index] for turn in turns]
        ratios = [b / s for b, s in zip(batch, serve)]
        medians.append(statistics.median(ratios))
        print(f"by {name}: batch {count / statistics.median(batch):.3f} jobs/s, serve "
              f"{count / statistics.median(serve):.3f} jobs/s; ratio {medians[-1]:.3f}, of turns "
              f"{' '.join(f'{ratio:.3f}' for ratio in ratios)}")
    return medians[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cohort", required=True)
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--chunks", type=int, default=16)
    parser.add_argument("--words", type=int, default=200)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--demand", type=float, default=0.95)
    args = parser.parse_args()
    turns, same = run_turns(args)
    ratio = tell(turns, args.chunks * TASKS)
    print(f"same texts in {same} of {args.turns} turns")
    sys.exit(0 if same == args.turns and ratio >= args.demand else 1)


main()
