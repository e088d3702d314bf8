#!/usr/bin/env python3
"""faults BUILD-FOLDER [NAME...] - plants faults in real kernels and demands that each is seen.

A file of tests/emu/faults holds the faults of one op. A fault is a piece of a kernel's source and
what stands there instead; the rest of the file is the test that must notice:

    op: rmsnorm                        the emulated unit, and kernels/<op>_simt_test
    [barrier-removed] finds "race"
    file: kernels/parts/reduce.cuh
    test: rows_follow_the_twin         only this test of the program (optional)
    - simt_barrier();
    + ;

Lines of - must stand in the file exactly once, one below the other (indentation aside). "finds"
is what the output must contain: a fault must be seen for what it is ("race", "uninitialised",
"overrun"...), or by its result ("differs": any failed comparison with the twin).

The fault goes into a copy beside the tree, found first by the compiler. The program runs over
all schedules. First of all it must pass without a fault: else its red says nothing.
"""

import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
FAULTS = TOP / "tests/emu/faults"
RUN_SECONDS = 240


class Broken(Exception):
    """The fault cannot be planted, or does not compile: the suite itself is at fault."""


def parse(path):
    """The faults of one file, as dictionaries."""
    op, faults = None, []
    for line in path.read_text().splitlines():
        head = re.match(r'\[([\w-]+)\] finds "([^"]+)"$', line)
        if head:
            faults.append({"op": op, "name": f"{op}/{head[1]}", "finds": head[2], "file": None,
                           "test": None, "old": [], "new": []})
        elif line.startswith("op: "):
            op = line[4:].strip()
        elif line.startswith(("file: ", "test: ")):
            faults[-1][line[:4]] = line[6:].strip()
        elif line[:1] in "-+" and line:
            faults[-1]["old" if line[0] == "-" else "new"].append(line[1:].strip())
        elif line.strip() and not line.startswith("#"):
            raise Broken(f"{path.name}: cannot read {line!r}")
    return faults


def planted(fault):
    """The file's text with the fault in it."""
    lines = (TOP / fault["file"]).read_text().splitlines()
    bare = [line.strip() for line in lines]
    old = fault["old"]
    places = [i for i in range(len(bare) - len(old) + 1) if bare[i:i + len(old)] == old]
    if len(places) != 1:
        raise Broken(f"{fault['file']} has these lines {len(places)} times: {old}")
    at = places[0]
    return "\n".join(lines[:at] + fault["new"] + lines[at + len(old):]) + "\n"


def command_of(build, target):
    """The command by which ninja makes that file."""
    out = subprocess.run(["ninja", "-C", build, "-t", "commands", "-s", target], check=True,
                         capture_output=True, text=True).stdout
    return out.strip().splitlines()[-1]


def compiled(build, fault, folder):
    """An object file of the unit with the fault."""
    copy = folder / fault["file"]
    copy.parent.mkdir(parents=True)
    copy.write_text(planted(fault))
    unit = f"CMakeFiles/emu.dir/simt/{fault['op']}_emu.cc.o"
    words = shlex.split(command_of(build, unit))
    words[words.index("-o") + 1] = str(folder / "unit.o")
    at = next(i for i, word in enumerate(words) if word.startswith("-I"))
    words.insert(at, f"-I{folder}")
    for option in ("-MD", "-Werror"):
        if option in words:
            words.remove(option)
    for option in ("-MT", "-MF"):
        if option in words:
            del words[words.index(option):words.index(option) + 2]
    done = subprocess.run(words, cwd=build, capture_output=True, text=True)
    if done.returncode:
        raise Broken(f"does not compile: {done.stderr[:600]}")
    return folder / "unit.o"


def linked(build, fault, folder, unit):
    """The test program with that unit instead of the library's."""
    program = f"kernels_{fault['op']}_simt_test"
    command = command_of(build, program)
    command = re.sub(r"^: && | && :$", "", command)
    words = shlex.split(command)
    words[words.index("-o") + 1] = str(folder / program)
    at = next(i for i, word in enumerate(words) if word.endswith(".o"))
    words.insert(at, str(unit))
    done = subprocess.run(words, cwd=build, capture_output=True, text=True)
    if done.returncode:
        raise Broken(f"does not link: {done.stderr[:600]}")
    return folder / program


def run(program, fault):
    """(failed, what it said)"""
    env = dict(os.environ)
    words = [str(program), "emu", "1"] + ([fault["test"]] if fault["test"] else [])
    try:
        done = subprocess.run(words, cwd=TOP, env=env, capture_output=True, text=True,
                              errors="replace", timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        return True, "hangs"
    said = done.stdout + done.stderr
    if done.returncode and re.search(r"!=|is not within|differ", said):
        said += "\ndiffers"
    return done.returncode != 0, said


def judge(build, fault):
    """None when the fault is seen for what it is, else what went wrong."""
    with tempfile.TemporaryDirectory(prefix="fault-") as name:
        folder = pathlib.Path(name)
        try:
            program = linked(build, fault, folder, compiled(build, fault, folder))
        except Broken as broken:
            return f"cannot be planted: {broken}"
        failed, said = run(program, fault)
    if not failed:
        return "NOT SEEN"
    if fault["finds"] not in said:
        return f"seen, but not as \"{fault['finds']}\": {said[-600:]}"
    return None


def clean_runs(build, faults):
    """Programs and tests that fail without a fault."""
    wrong = []
    for op, test in sorted({(f["op"], f["test"] or "") for f in faults}):
        fault = {"op": op, "test": test or None}
        failed, said = run(pathlib.Path(build) / f"kernels_{op}_simt_test", fault)
        if failed or (test and "PASSED  ] 1 test" not in said):
            wrong.append(f"{op} {test}: fails without a fault: {said[-400:]}")
    return wrong


def main():
    build, names = sys.argv[1], sys.argv[2:]
    faults = [f for path in sorted(FAULTS.glob("*.faults")) for f in parse(path)
              if not names or f["op"] in names or f["name"] in names]
    if not faults:
        print(f"faults: none of that name: {' '.join(names)}")
        return 1
    wrong = clean_runs(build, faults)
    jobs = int(os.environ.get("FAULT_JOBS", "1"))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for fault, verdict in zip(faults, pool.map(lambda f: judge(build, f), faults)):
            print(f"{'seen' if verdict is None else 'FAIL'} {fault['name']} ({fault['finds']})"
                  f"{': ' + verdict if verdict else ''}", flush=True)
            wrong += [fault["name"]] if verdict else []
    print(f"faults: {len(faults)} planted, {len(faults) - len(wrong)} seen")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


sys.exit(main())
