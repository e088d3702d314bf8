#!/usr/bin/env python3
"""serve_beside - the same jobs through `cohort batch` and through `cohort serve`, in turns.

    bench/serve_beside.py --cohort build/release/cohort -m MODEL [--chunks 8] [--turns 3] [--stream]

A small T3: chunks x 3 tasks, each a chunk all three share and a question of its own, 64 tokens out,
greedy, end of text ignored. Both sides get all jobs at once, and must answer the same texts. Loading
is left out: of batch by a run of one short job, of serve since it runs already; each turn starts a
server anew, so that no prefix is left from the turn before. Prints jobs/s by the clock and by the
engine's side's processor time, medians, and their ratios; the client's own processor time stands
beside (on a machine with few cores it slows what it measures)."""

import argparse
import concurrent.futures
import http.client
import json
import os
import random
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

TASKS, OUT = 3, 64
WORDS = "harbour crane offer valid source code river market train letter stone window".split()
QUESTIONS = ["What is said of the harbour?", "Which numbers are told?", "Who wrote the letter?"]


def jobs(chunks, words):
    source = random.Random(7)
    made = []
    for chunk in range(chunks):
        text = " ".join(source.choice(WORDS) + str(source.randrange(100)) for _ in range(words))
        for task in range(TASKS):
            made.append({"model": "m", "temperature": 0, "max_tokens": OUT, "ignore_eos": True,
                         "messages": [{"role": "user", "content": f"{chunk}: {text}\n\n{QUESTIONS[task]}"}]})
    return made


def run_batch(args, bodies):
    """Seconds by the clock and of processor time, and the texts."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = os.path.join(folder, "in.jsonl"), os.path.join(folder, "out.jsonl")
        with open(source, "w", encoding="utf-8") as file:
            for number, body in enumerate(bodies):
                file.write(json.dumps({"custom_id": str(number), "method": "POST",
                                       "url": "/v1/chat/completions", "body": body}) + "\n")
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


def engine_options(args):
    return ["-m", args.model, "--precision", args.precision]


def processor_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(port, body, stream):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3600)
    connection.request("POST", "/v1/chat/completions", json.dumps(body | {"stream": stream}))
    reply = connection.getresponse()
    got = reply.read().decode()
    connection.close()
    if reply.status != 200:
        raise RuntimeError(f"status {reply.status}: {got[:200]}")
    if not stream:
        return json.loads(got)["choices"][0]["message"]["content"]
    chunks = [json.loads(line[6:]) for line in got.split("\n") if line.startswith("data: {")]
    return "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])


def run_serve(args, bodies):
    server = subprocess.Popen([args.cohort, "serve", "-p", "0", *engine_options(args)],
                              stderr=subprocess.PIPE, text=True)
    try:
        port = next(int(m[1]) for m in (re.search(r"http://\S*:(\d+)$", line.strip())
                                        for line in server.stderr) if m)
        with concurrent.futures.ThreadPoolExecutor(len(bodies)) as pool:
            before, start, own = processor_s(server.pid), time.monotonic(), time.process_time()
            texts = list(pool.map(lambda body: ask(port, body, args.stream), bodies))
            wall = time.monotonic() - start
            spent, own = processor_s(server.pid) - before, time.process_time() - own
    finally:
        server.send_signal(signal.SIGTERM)
        server.stderr.read()
        server.wait()
    return wall, spent, texts, own


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cohort", required=True)
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--chunks", type=int, default=8)
    parser.add_argument("--words", type=int, default=200)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--stream", action="store_true")
    args = parser.parse_args()

    bodies = jobs(args.chunks, args.words)
    one = [bodies[0] | {"messages": [{"role": "user", "content": "a"}], "max_tokens": 1}]
    batch, serve, same = [], [], 0
    for turn in range(args.turns):
        idle = run_batch(args, one)
        through_file = run_batch(args, bodies)
        through_http = run_serve(args, bodies)
        batch.append((through_file[0] - idle[0], through_file[1] - idle[1]))
        serve.append(through_http[:2])
        same += through_file[2] == through_http[2]
        print(f"turn {turn}: batch {batch[-1][0]:.2f} s, {batch[-1][1]:.2f} s of processor; serve "
              f"{serve[-1][0]:.2f} s, {serve[-1][1]:.2f} s (and the client {through_http[3]:.2f} s)",
              flush=True)
    for index, name in enumerate(("the clock", "processor time")):
        a, b = (statistics.median(run[index] for run in runs) for runs in (batch, serve))
        print(f"by {name}: batch {len(bodies) / a:.3f} jobs/s, serve {len(bodies) / b:.3f} jobs/s, "
              f"ratio {a / b:.3f}")
    print(f"same texts in {same} of {args.turns} turns")
    sys.exit(0 if same == args.turns else 1)


main()
