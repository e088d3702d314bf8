#!/usr/bin/env python3
"""compile_test CACHE FLAG... - every kernel compiles for every GPU that is named, and fits.

Each kernels/*.cu goes through nvcc with the build's own flags, warnings as errors, for sm_89 and
sm_90; ptxas tells registers, stack, spills and static shared memory, which are printed as a
table. A spill, a warning, or more shared memory than a block of sm_89 may have is a failure.
(Shared memory is asked for at launch, if at all: the launchers' static_asserts and the emulator
hold it to the same limit.)

What was compiled is remembered in CACHE under a hash of the source, of all that it includes, of
the flags and of the compiler; only what changed is compiled again. Exit code 77 without nvcc.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

ARCHITECTURES = ["89", "90"]
SHARED_MAX = 101376  # SIMT_SHARED_MAX in kernels/parts/simt.cuh
JOBS = 2
SKIPPED = 77
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
ENTRY = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\d+)'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")


def find_nvcc():
    named = os.environ.get("CUDACXX")
    return named or shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")


def with_includes(path, seen):
    """path and whatever of ours it includes, each once."""
    if path in seen or not path.exists():
        return seen
    seen.add(path)
    for name in INCLUDE.findall(path.read_text()):
        with_includes(pathlib.Path(name), seen)
    return seen


def key_of(path, command):
    digest = hashlib.sha256(" ".join(command).encode())
    for part in sorted(with_includes(path, set())):
        digest.update(str(part).encode() + b"\0" + part.read_bytes())
    return digest.hexdigest()


def targets_of(path):
    """One PTX for all, two thirds of the time: the registers are those of a PTX each, which it
    takes where a kernel asks what it is compiled for."""
    if any("__CUDA_ARCH__" in part.read_text() for part in with_includes(path, set())):
        return [f"-gencode=arch=compute_{a},code=sm_{a}" for a in ARCHITECTURES]
    codes = ",".join(f"sm_{a}" for a in ARCHITECTURES)
    return [f"-gencode=arch=compute_{ARCHITECTURES[0]},code=[{codes}]"]


def command_of(nvcc, flags, path, out):
    return [nvcc, "-std=c++17", "-O3", "-I.", "-Xptxas=-v", *flags, *targets_of(path), "-c",
            str(path), "-o", str(out)]


def read_kernels(log):
    """What ptxas said, one dictionary per kernel and architecture."""
    kernels = []
    for line in log.splitlines():
        if found := ENTRY.search(line):
            kernels.append({"name": found[1], "sm": found[2], "registers": 0, "stack": 0,
                            "spills": 0, "shared": 0})
        elif kernels and (found := STACK.search(line)):
            kernels[-1]["stack"] = int(found[1])
            kernels[-1]["spills"] = int(found[2]) + int(found[3])
        elif kernels and (found := USED.search(line)):
            kernels[-1]["registers"] = int(found[1])
            if found := SHARED.search(line):
                kernels[-1]["shared"] = int(found[1])
    return kernels


def compile_one(nvcc, flags, path, cache):
    """(kernels, message): message is the compiler's when it refuses, else empty."""
    command = command_of(nvcc, flags, path, cache / f"{path.stem}.o")
    note = cache / f"{path.stem}.json"
    key = key_of(path, [nvcc_version(nvcc)] + command)
    if note.exists():
        known = json.loads(note.read_text())
        if known["key"] == key:
            return known["kernels"], ""
    done = subprocess.run(command, capture_output=True, text=True)
    (cache / f"{path.stem}.o").unlink(missing_ok=True)
    log = done.stdout + done.stderr
    if done.returncode != 0:
        told = [line for line in log.splitlines() if re.search("error|warning|fatal", line)]
        return [], "\n".join(told or log.splitlines())
    kernels = read_kernels(log)
    note.write_text(json.dumps({"key": key, "kernels": kernels}))
    return kernels, ""


def nvcc_version(nvcc):
    return subprocess.run([nvcc, "--version"], check=True, capture_output=True, text=True).stdout


def demangled(names):
    filt = shutil.which("c++filt")
    if not filt or not names:
        return dict(zip(names, names))
    done = subprocess.run([filt], input="\n".join(names), capture_output=True, text=True)
    return dict(zip(names, [shortened(name) for name in done.stdout.splitlines()]))


def shortened(name):
    """Without the anonymous namespace, the argument list, and the casts of template numbers."""
    name = re.sub(r"\(anonymous namespace\)::|_GLOBAL__N__\w+::|^void ", "", name)
    name = re.sub(r"\((?:unsigned )?(?:int|bool|[\w:]+)\)(?=-?\d)", "", name)
    depth = 0
    for at, letter in enumerate(name):
        depth += {"<": 1, ">": -1}.get(letter, 0)
        if letter == "(" and depth == 0:
            return name[:at]
    return name


def show(path, kernels):
    names = demangled(sorted({k["name"] for k in kernels}))
    for name in sorted(names, key=names.get):
        columns = []
        for sm in ARCHITECTURES:
            k = next(k for k in kernels if k["name"] == name and k["sm"] == sm)
            columns.append(f"{k['registers']:5}{k['stack']:7}{k['spills']:7}{k['shared']:8}")
        print(f"{path.stem:15} {names[name][:70]:70} {' |'.join(columns)}")


def faults(kernels):
    for k in kernels:
        where = f"{shortened(demangled([k['name']])[k['name']])} on sm_{k['sm']}"
        if k["spills"] > 0:
            yield f"{where}: spills {k['spills']} bytes"
        if k["shared"] > SHARED_MAX:
            yield f"{where}: {k['shared']} bytes of shared memory, the limit is {SHARED_MAX}"


def main():
    nvcc = find_nvcc()
    if not nvcc:
        print("compile_test: skipped, there is no nvcc (CUDACXX, PATH, /usr/local/cuda)")
        return SKIPPED
    cache, flags = pathlib.Path(sys.argv[1]), sys.argv[2:]
    cache.mkdir(parents=True, exist_ok=True)
    sources = sorted(pathlib.Path("kernels").glob("*.cu"))
    findings, count = [], 0
    columns = " |".join(f"{'regs':>5}{'stack':>7}{'spills':>7}{'shared':>8}" for _ in ARCHITECTURES)
    print(f"{'sm_' + ', sm_'.join(ARCHITECTURES):86} {columns}")
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        tasks = [(path, pool.submit(compile_one, nvcc, flags, path, cache)) for path in sources]
        for path, task in tasks:
            kernels, message = task.result()
            if message:
                findings.append(f"{path}: does not compile\n{message}")
            show(path, kernels)
            findings += [f"{path}: {fault}" for fault in faults(kernels)]
            count += len(kernels)
    print(f"{len(sources)} files, {count} kernels, {len(findings)} findings")
    for finding in findings:
        print(finding)
    return 1 if findings or count == 0 else 0


sys.exit(main())
