#!/usr/bin/env python3
"""faults BUILD-FOLDER [NAME...] [--shard I/N] - plants faults in real kernels and demands that each is seen.

A file of tests/emu/faults holds the faults of one op. A fault is a piece of a kernel's source
and what stands there instead; the rest tells the test that must notice:

    op: rmsnorm                        the emulated unit, and kernels/<op>_simt_test
    [barrier-removed] finds "race"
    file: kernels/parts/reduce.cuh
    test: rows_follow_the_twin         only this test of the program (optional)
    - simt_barrier();
    + ;

Lines of - must stand in the file exactly once, one below the other (indentation aside). "finds"
is the emulator's word for it ("race", "unwritten", "overrun", "divergence"...: emu_report.cc).
"differs" is for what no emulator can see: there was no finding, but the results are wrong.

A kernel of many shapes takes long to compile. "leaves out" in the place of "finds" names lines
(of -) that the faults below it do without, as long as their tests do: the shapes of no concern.

The fault goes into a copy beside the tree, found first by the compiler. The program runs once
over all schedules. First of all it must pass without a fault, and without what the faults leave
out: else its red says nothing.
NAME is an op or op/fault; of those, --shard takes the I-th of N parts (1 .. N), so that
several may run side by side. The build folder is ninja's, its programs are built.
"""

import functools
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
FAULTS = TOP / "tests/emu/faults"
RUN_SECONDS = 240
SKIPPED = 77
# The unit is compiled for one run: attention's takes g++ 13 s with -O1, 8 s with -Og, and
# clang, which the set-up has, 3 s with -O0, or 2 where wrappers are called. (A finding then
# names the wrapper's line.) Reports tell lines (-g1); a fault may leave something unused (-w).
COMPILER = shutil.which("clang++")
FAST = ["-O0", "-DSIMT=static inline"] if COMPILER else ["-Og"]
FAST += ["-g1", "-w"]
# With -O0 a struct is moved by the C library, which clang before 15 does not report.
MOVERS = ["memcpy", "memset"]


class Broken(Exception):
    """The fault cannot be planted, or does not compile: the suite itself is at fault."""


def parse(path):
    """The faults of one file, as dictionaries."""
    op, faults, left_out = None, [], []
    for line in path.read_text().splitlines():
        head = re.match(r'\[([\w-]+)\] (?:finds "([^"]+)"|leaves out)$', line)
        if head:
            edit = {"op": op, "name": f"{op}/{head[1]}", "finds": head[2], "file": None,
                    "test": None, "old": [], "new": [], "left_out": list(left_out)}
            (faults if head[2] else left_out).append(edit)
        elif line.startswith("op: "):
            op = line[4:].strip()
        elif line.startswith(("file: ", "test: ")):
            edit[line[:4]] = line[6:].strip()
        elif line[:1] in "-+" and line:
            edit["old" if line[0] == "-" else "new"].append(line[1:].strip())
        elif line.strip() and not line.startswith("#"):
            raise Broken(f"{path.name}: cannot read {line!r}")
    return faults


def edited(lines, edit):
    """Those lines of its file with the edit's new ones in place of its old ones."""
    bare = [line.strip() for line in lines]
    old = edit["old"]
    places = [i for i in range(len(bare) - len(old) + 1) if bare[i:i + len(old)] == old]
    if len(places) != 1 or not old:
        raise Broken(f"{edit['file']} has these lines {len(places)} times: {old}")
    at = places[0]
    return lines[:at] + edit["new"] + lines[at + len(old):]


def write_copies(edits, folder):
    """The files that the edits concern, edited, under that folder."""
    texts = {}
    for edit in edits:
        lines = texts.get(edit["file"]) or (TOP / edit["file"]).read_text().splitlines()
        texts[edit["file"]] = edited(lines, edit)
    for name, lines in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("\n".join(lines) + "\n")


@functools.cache
def command_of(build, target):
    """The command by which ninja makes that file, as words."""
    out = subprocess.run(["ninja", "-C", build, "-t", "commands", "-s", target], check=True,
                         capture_output=True, text=True).stdout
    command = out.strip().splitlines()[-1]
    return tuple(shlex.split(re.sub(r"^: && | && :$", "", command)))


def unit_command(build, op):
    return command_of(build, f"CMakeFiles/emu.dir/simt/{op}_emu.cc.o")


def program_of(op):
    return f"kernels_{op}_simt_test"


def run_in(build, words, failure):
    done = subprocess.run(words, cwd=build, capture_output=True, text=True)
    if done.returncode:
        raise Broken(f"{failure}: {done.stderr[:600]}")


def compiled(build, op, edits, folder):
    """An object file of the op's unit with the edits."""
    write_copies(edits, folder)
    unit = folder / "unit.o"
    words = list(unit_command(build, op))
    words[words.index("-o") + 1] = str(unit)
    at = next(i for i, word in enumerate(words) if word.startswith("-I"))
    words.insert(at, f"-I{folder}")
    for option in ("-MT", "-MF"): # the build's own list of headers stays as it is
        at = words.index(option)
        del words[at:at + 2]
    words.remove("-MD")
    if COMPILER:
        at = next(i for i, word in enumerate(words) if word.startswith("-"))
        words = [COMPILER] + [word for word in words[at:] if not word.startswith("--param")]
    run_in(build, words + FAST, "does not compile")
    renames = [f"--redefine-sym={name}=__tsan_{name}" for name in MOVERS]
    run_in(build, ["objcopy", *renames, str(unit)], "does not take other names")
    return unit


def linked(build, op, folder, unit):
    """The op's test program with that unit instead of the library's."""
    words = list(command_of(build, program_of(op)))
    words[words.index("-o") + 1] = str(folder / "program")
    at = next(i for i, word in enumerate(words) if word.endswith(".o"))
    words.insert(at, str(unit))
    run_in(build, words, "does not link")
    return folder / "program"


def run(program, test):
    """(exit code, what it said)"""
    words = [str(program), "emu", "1"] + ([test] if test else [])
    try:
        done = subprocess.run(words, cwd=TOP, capture_output=True, text=True, errors="replace",
                              timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        return 1, f"runs longer than {RUN_SECONDS} s"
    return done.returncode, done.stdout + done.stderr


def kinds_told(code, said):
    """What was noticed, in the words of `finds`."""
    kinds = set(re.findall(r"^([a-z ]+): .*; at ", said, re.MULTILINE))
    return kinds or ({"differs"} if code > 0 and "[  FAILED  ]" in said else set())


def program_with(build, op, edits, folder):
    """The op's test program with the edits in its kernel, under that folder."""
    return linked(build, op, folder, compiled(build, op, edits, folder))


def judge(build, fault):
    """None when the fault is seen for what it is, else what went wrong."""
    with tempfile.TemporaryDirectory(prefix="fault-") as name:
        try:
            program = program_with(build, fault["op"], [*fault["left_out"], fault],
                                   pathlib.Path(name))
        except Broken as broken:
            return f"cannot be planted: {broken}"
        code, said = run(program, fault["test"])
    if code == 0:
        return "NOT SEEN"
    kinds = kinds_told(code, said)
    if fault["finds"] not in kinds:
        return f"not seen as such, but as {sorted(kinds)}: {said[-1200:]}"
    return None


def clean_runs(build, faults):
    """Tests that fail, or do not exist, without a fault in a unit compiled as for one."""
    wrong, units = [], {}
    for fault in faults:
        _, tests = units.setdefault((fault["op"], len(fault["left_out"])), (fault, set()))
        tests.add(fault["test"] or "")
    for (op, _), (fault, tests) in units.items():
        with tempfile.TemporaryDirectory(prefix="fault-") as name:
            try:
                program = program_with(build, op, fault["left_out"], pathlib.Path(name))
            except Broken as broken:
                wrong.append(f"{op}: cannot be built without a fault: {broken}")
                continue
            for test in sorted(tests):
                code, said = run(program, test)
                if code or (test and "PASSED  ] 1 test" not in said):
                    wrong.append(f"{op} {test}: not green without a fault: {said[-400:]}")
    return wrong


def reason_to_skip(build):
    if not (pathlib.Path(build) / "build.ninja").exists():
        return "its commands are ninja's, and this build is not"
    cache = (pathlib.Path(build) / "CMakeCache.txt").read_text()
    if re.search(r"^COHORT_SANITIZE:STRING=.", cache, re.MULTILINE):
        return "a sanitizer looks on instead of the emulator"
    return None


def shard_of(faults, told):
    """The I-th of N runs of neighbours: they mostly share their test, whose clean run then is
    made once. "I/N" outside 1 .. N is refused."""
    index, count = (int(number) for number in told.split("/"))
    if not 1 <= index <= count:
        raise Broken(f"--shard {told}: want 1/N to N/N")
    return faults[(index - 1) * len(faults) // count:index * len(faults) // count]


def arguments(words):
    """(build folder, names, shard)"""
    words, shard = list(words), "1/1"
    if "--shard" in words:
        at = words.index("--shard")
        shard = words[at + 1]
        del words[at:at + 2]
    return words[0], words[1:], shard


def main():
    build, names, shard = arguments(sys.argv[1:])
    faults = [f for path in sorted(FAULTS.glob("*.faults")) for f in parse(path)
              if not names or f["op"] in names or f["name"] in names]
    faults = shard_of(faults, shard)
    if not faults:
        print(f"faults: none of that name: {' '.join(names)}")
        return 1
    reason = reason_to_skip(build)
    if reason:
        print(f"faults: skipped: {reason}")
        return SKIPPED
    wrong = clean_runs(build, faults)
    for line in wrong:
        print(line)
    missed = 0
    for fault in faults:
        since = time.monotonic()
        verdict = judge(build, fault)
        missed += verdict is not None
        told = f"FAIL {fault['name']}: {verdict}" if verdict else f"seen {fault['name']}"
        seconds = time.monotonic() - since
        print(f"{told} ({fault['finds']}, {seconds:.1f} s)", flush=True)
    print(f"faults: {len(faults)} planted, {len(faults) - missed} seen")
    return 1 if wrong or missed else 0


if __name__ == "__main__":
    sys.exit(main())
