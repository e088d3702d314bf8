#!/usr/bin/env python3
"""programs_test.py COHORT [EVERY]: every program of the data folder's minions, against CPython.

Each program that a model wrote there (other_programs.jsonl; the code blocks of raw_logs; those of
replay, or each EVERY-th of them) is run by `cohort dsl` and here, by CPython with stand-ins for
the names it is told of: the jobs, the text of transform_outputs and the exception's class must be
the same. Programs for another interface, whose documents have a name and a content, are run as
they are (an AttributeError) and with a document's text in its place. Exit code 77 where the data
or Python 3.11 is missing.
"""

import json
import lzma
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import typing

FOLDER = pathlib.Path(os.environ.get("COHORT_TEST_DATA", "../shared/data")) / "minions"
CODE = re.compile(r"```(?:python)?\n(.*?)```", re.S)
ANSWERS = [None, "none", "Team lead, 1on1 with Lisa", "null", "$4.2 million", "  Söme text\n", ""]
DOCUMENT_BYTES = 20000


class ValidationError(ValueError):
    pass


class JobManifest:
    def __init__(self, chunk, task, advice, chunk_id=None, task_id=None, job_id=None):
        for text in (chunk, task, advice):
            if not isinstance(text, str):
                raise ValidationError("not a text")
        self.chunk, self.task, self.advice = chunk, task, advice
        self.chunk_id, self.task_id, self.job_id = chunk_id, task_id, job_id


class JobOutput:
    def __init__(self, explanation="", citation=None, answer=None):
        self.explanation, self.citation, self.answer = explanation, citation, answer


class Job:
    def __init__(self, manifest, output, sample):
        self.manifest, self.output, self.sample, self.include = manifest, output, sample, None


def chunk_by_section(doc, max_chunk_size=3000, overlap=20):
    step = max_chunk_size - overlap
    return [doc[at:at + max_chunk_size] for at in range(0, len(doc), step)]


def world():
    names = {name: getattr(typing, name) for name in ("List", "Dict", "Any", "Optional", "Union",
                                                      "Tuple")}
    return names | {"JobManifest": JobManifest, "JobOutput": JobOutput, "Job": Job,
                    "chunk_by_section": chunk_by_section, "Document": str}


def sample_of(number):
    return json.dumps({"explanation": f"because {number}", "citation": "a span",
                       "answer": ANSWERS[number % len(ANSWERS)]})


def number_jobs(jobs):
    """Ids by first use, as the rounds give them."""
    chunks, tasks = {}, {}
    for number, job in enumerate(jobs):
        job.chunk_id = chunks.setdefault(job.chunk, len(chunks))
        job.task_id = tasks.setdefault(job.task, len(tasks))
        job.job_id = number
    return jobs


def by_python(code, document):
    """{jobs, text}, or {exception} where it raised."""
    names = world()
    told = {}
    try:
        exec(compile(code, "program", "exec"), names)
        jobs = number_jobs(names["prepare_jobs"]([document], None, None))
        told["jobs"] = [[job.chunk, job.task, job.advice, job.chunk_id, job.task_id]
                        for job in jobs]
        done = [Job(job, JobOutput(**json.loads(sample_of(job.job_id))), sample_of(job.job_id))
                for job in jobs]
        told["text"] = names["transform_outputs"](done)
    except Exception as raised:  # whatever the program did
        told["exception"] = type(raised).__name__
    return told


def by_cohort(binary, code, document, folder, jobs):
    program, text, outputs = folder / "p.py", folder / "d.txt", folder / "o.jsonl"
    program.write_text(code)
    text.write_text(document)
    outputs.write_text("".join(json.dumps({"job_id": n, "sample": sample_of(n)}) + "\n"
                               for n in range(jobs)))
    words = [binary, "dsl", "--json", "-f", text, "--outputs", outputs, program]
    result = json.loads(subprocess.run(words, capture_output=True, check=False).stdout)
    told = {}
    fault = result.get("fault")
    if not fault or result["jobs"]:
        told["jobs"] = [[job[key] for key in ("chunk", "task", "advice", "chunk_id", "task_id")]
                        for job in result["jobs"]]
    transform = result.get("transform") or {}
    if fault or transform.get("status") != "ok":
        told["exception"] = (fault or {}).get("exception") or transform.get("text", "").split(":")[0]
    else:
        told["text"] = transform["text"]
    return told


def programs(every):
    for line in (FOLDER / "other_programs.jsonl").read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        yield one["id"], one["code"]
        yield one["id"] + " on texts", re.sub(r"\bdocument\.(content|filename)\b", "document",
                                              one["code"])
    for path in sorted((FOLDER / "raw_logs").glob("*.json.xz")):
        log = json.loads(lzma.open(path, "rt", encoding="utf-8").read())
        for number, turn in enumerate(log["conversation"]):
            for code in CODE.findall(str(turn.get("output", ""))):
                if "def prepare_jobs" in code and "def transform_outputs" in code:
                    yield f"{path.name[:40]} {number}", code
    for line in list(lzma.open(FOLDER / "replay/dev_programs.jsonl.xz", "rt",
                               encoding="utf-8"))[::every]:
        one = json.loads(line)
        yield one["id"], one["code"]


def main():
    if sys.version_info[:2] != (3, 11) or not (FOLDER / "other_programs.jsonl").is_file():
        print("skipped: no programs, or not Python 3.11")
        sys.exit(77)
    every = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    document = (FOLDER / "examples/health/sample.txt").read_text(encoding="utf-8")[:DOCUMENT_BYTES]
    total, same, raised, jobs = 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        for told, code in programs(every):
            want = by_python(code, document)
            got = by_cohort(sys.argv[1], code, document, pathlib.Path(name),
                            len(want.get("jobs", [])))
            total += 1
            same += got == want
            raised += "exception" in want
            jobs += len(want.get("jobs", []))
            if got != want:
                print(f"{told}: {str(got)[:300]}\n  want {str(want)[:300]}")
    print(f"programs: {total}, the same: {same} ({raised} raise), jobs: {jobs}")
    sys.exit(0 if total and same == total else 1)


if __name__ == "__main__":
    main()
