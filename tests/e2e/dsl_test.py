#!/usr/bin/env python3
"""dsl_test BINARY [STEP] - `cohort dsl` on recorded programs (every STEP-th, default 8), refusals,
and outputs that are not right."""

import hashlib
import json
import lzma
import pathlib
import subprocess
import sys
import tarfile
import tempfile

DATA, SKIPPED = pathlib.Path("../shared/data/minions/replay"), 77
PROGRAM = """def prepare_jobs(context, prev_job_manifests=None, prev_job_outputs=None):
    return [JobManifest(chunk=c, task=t, advice="") for c in chunk_by_section(context[0], 40, 0)
            for t in ("one?", "two?")]

def transform_outputs(jobs):
    return ", ".join(j.output.answer for j in jobs if j.output.answer)
"""


def run(binary, program, document, *words):
    return subprocess.run([binary, "dsl", *words, "-f", str(document), str(program)],
                          capture_output=True, text=True, timeout=120)


def jobs_hash(jobs):
    joined = "".join(f"{j['chunk']}\x1f{j['task']}\x1f{j['advice']}\x1e" for j in jobs)
    return hashlib.sha256(joined.encode()).hexdigest()


def small(binary, folder):
    program, document, outputs = folder / "p.py", folder / "d.txt", folder / "o.jsonl"
    program.write_text("Here it is:\n```python\n" + PROGRAM + "```\n")
    document.write_text("The first chunk is of forty characters.\nAnd the second.\n")
    shown = run(binary, program, document)
    assert shown.returncode == 0 and "4 jobs: 2 chunks, 2 tasks" in shown.stdout, shown
    assert "job 3: task 1 over chunk 1, 16 bytes, d.txt line 2" in shown.stdout, shown.stdout
    outputs.write_text(json.dumps({"job_id": 3, "sample": json.dumps({"answer": "second"})}) + "\n")
    told = json.loads(run(binary, program, document, "--json", "--outputs", str(outputs)).stdout)
    assert told["transform"] == {"status": "ok", "text": "second"}, told
    for line, words in (('{"job_id": 4, "sample": "{}"}', "job_id is 4, the program made 4 jobs"),
                        ('{"job_id": 0, "sample": "no"}', "sample of job 0 is no JobOutput"),
                        ('{"sample": "{}"}', "needs a job_id"), ("{", "o.jsonl line 1")):
        outputs.write_text(line + "\n")
        done = run(binary, program, document, "--outputs", str(outputs))
        assert done.returncode == 65 and words in done.stderr, done
    program.write_text("import os\n" + PROGRAM)
    done = run(binary, program, document)
    assert done.returncode == 65 and "refused at line 1" in done.stdout, done
    told = json.loads(run(binary, program, document, "--json").stdout)
    assert told["jobs"] == [] and told["fault"]["kind"] == "refused", told


def recorded(binary, folder, step):
    def lines(name):
        return [json.loads(line) for line in lzma.open(DATA / name, "rt", encoding="utf-8")]
    outputs = {line["id"]: line["outputs"] for line in lines("dev_job_outputs.jsonl.xz")}
    with tarfile.open(DATA / "dev_docs.tar.xz") as tar:
        tar.extractall(folder / "docs")
    documents = {path.stem: path for path in (folder / "docs").rglob("*.txt")}
    told = same = 0
    for line in lines("dev_programs.jsonl.xz")[::step]:
        program, replies = folder / "p.py", folder / "o.jsonl"
        program.write_text(line["code"])
        replies.write_text("".join(json.dumps(out) + "\n" for out in outputs.get(line["id"], [])))
        words = ["--outputs", str(replies)] if line["id"] in outputs else []
        done = run(binary, program, documents[line["doc"]], "--json", *words)
        assert done.returncode in (0, 65) and done.stdout, (line["id"], done.stderr)
        result = json.loads(done.stdout)
        told += 1
        want = line.get("jobs")
        if not want:
            same += result["fault"]["exception"] == "ValidationError"
            continue
        good = jobs_hash(result["jobs"]) == want["sha256"]
        good &= [[j["chunk_id"], j["task_id"]] for j in result["jobs"]] == want["chunk_task_ids"]
        if words:
            expected = {key: line["transform"][key] for key in ("status", "text")}
            good &= result["transform"] == expected
        same += good
        if not good:
            print(f"{line['id']} differs")
    print(f"recorded programs through the command: {same} of {told} the same")
    return same == told


def main():
    with tempfile.TemporaryDirectory() as name:
        small(sys.argv[1], pathlib.Path(name))
        if not DATA.is_dir():
            print(f"skipped: the recorded programs are not here ({DATA})")
            return SKIPPED
        return 0 if recorded(sys.argv[1], pathlib.Path(name),
                             int(sys.argv[2]) if len(sys.argv) > 2 else 8) else 1


sys.exit(main())
