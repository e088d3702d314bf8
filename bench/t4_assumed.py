#!/usr/bin/env python3
"""t4_assumed DATA TOKENIZER_BENCH - what T4's record does not say, out of records that do.

DATA is the folder with minions/ and tokenizers/ (../shared/data). TOKENIZER_BENCH is the program
of that name: it counts the chunks' tokens by Llama 3.2's vocabulary, that of the recorded worker.
Prints the figures that load_make.h quotes: the tokens of a prompt that are not its chunk's, by
conversation, and jobs per chunk, by program.
"""

import json
import lzma
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile


def records(path):
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return file.read()


def count_tokens(program, vocabulary, text):
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        told = subprocess.run([program, str(vocabulary), "llama-bpe", file.name], check=True,
                              capture_output=True, text=True).stdout
    return int(re.search(r"(\d+) tokens", told).group(1))


def conversations(data, program):
    vocabulary = data / "tokenizers/llama3.2/tokenizer.json.xz"
    total = {"jobs": 0, "chunk": 0, "prompt": 0}
    for path in sorted((data / "minions/raw_logs").glob("*.json.xz")):
        log = json.loads(records(path))
        jobs = [job for part in log["conversation"] if part["user"] == "worker"
                for job in part["job_manifests"]]
        chunk = count_tokens(program, vocabulary, "\n".join(job["chunk"] for job in jobs))
        prompt = log["usage"]["local"]["prompt_tokens"]
        print(f"{len(jobs):5} jobs: prompts of {prompt / len(jobs):.1f} tokens, of them "
              f"{(prompt - chunk) / len(jobs):.1f} not the chunk's ({100 * chunk / prompt:.1f} % "
              "are)")
        for name, count in (("jobs", len(jobs)), ("chunk", chunk), ("prompt", prompt)):
            total[name] += count
    own = (total["prompt"] - total["chunk"]) / total["jobs"]
    print(f"{total['jobs']:5} jobs: {own:.1f} not the chunk's; "
          f"{100 * total['chunk'] / total['prompt']:.1f} % are")


def programs(data):
    lines = records(data / "minions/replay/dev_programs.jsonl.xz").splitlines()
    made = [record["jobs"]["chunk_task_ids"] for record in map(json.loads, lines)
            if record.get("jobs") and record["jobs"]["count"] > 0]
    chunks = [len({chunk for chunk, _ in jobs}) for jobs in made]
    each = [len(jobs) / count for jobs, count in zip(made, chunks)]
    quartiles = ", ".join(f"{q:g}" for q in statistics.quantiles(each, n=4))
    print(f"{len(made)} programs: {sum(map(len, made)) / sum(chunks):.2f} jobs per chunk, "
          f"quartiles {quartiles}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    data = pathlib.Path(sys.argv[1])
    conversations(data, sys.argv[2])
    programs(data)


main()
