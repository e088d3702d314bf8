#!/usr/bin/env python3
"""t3_beside - the T3 workload through Cohort and through llama.cpp's server, in one run.

    bench/t3_beside.py --workload build/release/workload -m MODEL --server llama-server \
        --peer NAME=FILE.gguf [--peer ...] [--slots 1,8] [--chunks 8] [--out FILE.json]

T3: chunks x jobs prompts of 800 shared and 250 own random tokens, 64 tokens out, end of text
ignored, greedy. The two sides take turns on an otherwise idle machine. Cohort runs both arrival
orders; the peer runs chunk order, its best, with cache_prompt on and `slots` requests in flight.
Prints a line per run and the ratio to the peer's best; --out keeps them as JSON.
"""

import argparse
import concurrent.futures
import json
import os
import platform
import random
import subprocess
import time
import urllib.error
import urllib.request

SHARED, OWN, OUT, JOBS = 800, 250, 64, 3
PORT, START_S, REQUEST_S = 18177, 60, 3000


def post(path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=REQUEST_S))


def wait_until_ready(server):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=5)
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise RuntimeError("the peer's server did not become ready")


def prompts(chunks):
    source = random.Random(7)

    def tokens(count):
        return [source.randrange(300, 40000) for _ in range(count)]

    heads = [tokens(SHARED) for _ in range(chunks)]
    return [head + tokens(OWN) for head in heads for _ in range(JOBS)]


def run_peer(args, name, model, slots):
    context = slots * (SHARED + OWN + OUT + 64)
    command = [args.server, "-m", model, "-t", str(args.threads), "-np", str(slots),
               "-c", str(context), "--port", str(PORT), "--no-webui"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_ready(server)

        def one(prompt):
            reply = post("/completion", {"prompt": prompt, "n_predict": OUT, "temperature": 0,
                                         "ignore_eos": True, "cache_prompt": True})
            return reply["timings"]["prompt_n"], reply["tokens_predicted"]

        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(slots) as pool:
            replies = list(pool.map(one, prompts(args.chunks)))
        seconds = time.monotonic() - start
    finally:
        server.terminate()
        server.wait()
    return {"who": f"llama.cpp {name}, {slots} slots", "jobs": len(replies), "seconds": seconds,
            "jobs_per_s": len(replies) / seconds,
            "computed_prompt_tokens": sum(reply[0] for reply in replies),
            "output_tokens": sum(reply[1] for reply in replies)}


def run_ours(args, order):
    command = [args.workload, "t3", "-m", args.model, "--chunks", str(args.chunks),
               "--jobs", str(JOBS), "--order", order, "--precision", args.precision, "--threads", str(args.threads),
               "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return {"who": f"cohort {args.precision}, {order} order", **json.loads(done.stdout)}


def machine():
    names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
             if line.startswith("model name")]
    return {"cpu": names[0] if names else platform.processor(), "cores": os.cpu_count(),
            "load_before": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--workload", required=True)
    parser.add_argument("-m", "--model", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--slots", default="1,8")
    parser.add_argument("--chunks", type=int, default=8)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--out")
    args = parser.parse_args()

    facts = machine()
    turns = [lambda n=n, f=f, s=int(s): run_peer(args, n, f, s)
             for n, f in (peer.split("=", 1) for peer in args.peer)
             for s in args.slots.split(",")]
    ours = [lambda order=order: run_ours(args, order) for order in ("chunk", "task")]
    runs = []
    for index, turn in enumerate(turns):
        for step in ([ours[index % 2]] if index < 2 else []) + [turn]:
            runs.append(step())
            print(f"{runs[-1]['who']:32} {runs[-1]['jobs_per_s']:.3f} jobs/s  "
                  f"computed {runs[-1]['computed_prompt_tokens']}", flush=True)
    best = max(run["jobs_per_s"] for run in runs if run["who"].startswith("llama"))
    slowest = min(run["jobs_per_s"] for run in runs if run["who"].startswith("cohort"))
    print(f"ratio of our slower order to the peer's best: {slowest / best:.2f}")
    if args.out:
        with open(args.out, "w", encoding="utf-8") as file:
            json.dump({"machine": facts, "runs": runs, "ratio": slowest / best}, file, indent=1)


main()
