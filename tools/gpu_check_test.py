#!/usr/bin/env python3
"""gpu_check_test BUILD - gpu_check.sh where there is no GPU.

Dry, it names nothing that a build folder does not have. And with stand-ins for nvidia-smi,
compute-sanitizer and the programs it runs every step but the build, sees each kind of failure,
and keeps its time.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[1]
SCRIPT = str(TOP / "tools/gpu_check.sh")
BUILD = pathlib.Path(sys.argv[1]).resolve()
STEPS = ["wrappers", "twins", "engine", "tests", "emulated", "t3", "kbench", "t2", "t1",
         "sanitizer"]
SUMS = '{"checksum":"00ff"}'


def test_names():
    sources = [*TOP.glob("kernels/*_simt_test.c"), TOP / "tests/emu/engine_test.c"]
    return [str(path.relative_to(TOP)).replace("/", "_")[:-2] for path in sources]


def stand_in(path, body):
    path.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


class Machine:
    """A folder of stand-ins: what they say and their exit codes are in our hands."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.build, self.tools = self.folder / "build", self.folder / "tools"
        self.build.mkdir()
        self.tools.mkdir()
        self.runs = 0
        stand_in(self.tools / "nvidia-smi", "echo 'GPU 0: a stand-in'")
        stand_in(self.tools / "compute-sanitizer", 'while [ "$1" != run ]; do shift; done')
        for name in ["wrapper_check", "cohort_kbench", "forward_bench", *test_names()]:
            stand_in(self.build / name, f'echo "{name} $*"')
        stand_in(self.build / "workload", f"echo '{SUMS}'")

    def check(self, *words, code=0):
        self.runs += 1
        self.out = self.folder / f"out{self.runs}"
        path = f"{self.tools}:{os.environ['PATH']}"
        done = subprocess.run([SCRIPT, str(self.out), *words, "--build", str(self.build)],
                              capture_output=True, text=True, check=False, cwd=TOP,
                              env={**os.environ, "PATH": path})
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return (self.out / "summary.txt").read_text(encoding="utf-8")

    def log(self, step):
        return (self.out / f"{step}.log").read_text(encoding="utf-8")


def dry_run_names_what_is_built():
    told = subprocess.run([SCRIPT, "--dry-run", *STEPS, "--build", str(BUILD)],
                          capture_output=True, text=True, check=False, cwd=TOP)
    assert told.returncode == 0, told.stdout + told.stderr
    for step in STEPS:
        commands = re.search(rf"^{step}, at most .*\n((?:  .*\n)+)", told.stdout, re.M)
        assert commands, f"{step} has no command: {told.stdout}"
    programs = set(re.findall(rf"{re.escape(str(BUILD))}/([a-z0-9_]+)", told.stdout))
    assert len(programs) == 4 + len(test_names()), programs
    assert all(os.access(BUILD / name, os.X_OK) for name in programs), programs
    with tempfile.TemporaryDirectory() as empty:
        none = subprocess.run([SCRIPT, "--dry-run", "tests", "t1", "--build", empty],
                              capture_output=True, text=True, check=False, cwd=TOP)
        assert none.returncode == 1, none.stdout
        for name in ["workload", *test_names()]:
            assert f"not built: {name}\n" in none.stdout, (name, none.stdout)


def every_step_passes(machine):
    summary = machine.check(*STEPS)
    for step in STEPS:
        assert re.search(rf"^passed .* {step}", summary, re.M), summary
    assert f"{len(STEPS)} steps, 0 failed, 0 not begun" in summary, summary
    assert "T3 was cut down" in summary and "T3 is cut down" in machine.log("t3"), summary
    assert len((machine.out / "loads.jsonl").read_text(encoding="utf-8").splitlines()) == 7
    assert machine.log("tests").count("_simt_test cuda") == len(test_names()) - 1
    table = (machine.out / "kbench.txt").read_text(encoding="utf-8")
    assert table.count("cohort_kbench run") == 4 and "cohort_kbench layer" in table, table


def failures_are_seen(machine):
    broken = (("wrapper_check", "exit 1", "wrappers"), ("cohort_kbench", "exit 1", "kbench"),
              ("workload", "exit 1", "t1"), ("forward_bench", "exit 3", "t2"),
              ("kernels_rope_simt_test", "exit 1", "tests"),
              ("tests_emu_engine_test", "kill -SEGV $$", "tests"),
              ("workload", f'case "$*" in *"--device cpu"*) echo \'{SUMS}\' ;; '
                           '*) echo \'{"checksum":"00fe"}\' ;; esac', "engine"),
              ("workload", "true", "engine"))
    for name, body, step in broken:
        whole = (machine.build / name).read_text(encoding="utf-8")
        stand_in(machine.build / name, body)
        summary = machine.check(step, code=1)
        assert re.search(rf"^FAILED .* {step} ", summary, re.M), (name, body, summary)
        (machine.build / name).write_text(whole, encoding="utf-8")
    stand_in(machine.tools / "compute-sanitizer", '[ "$2" != racecheck ] || exit 9')
    summary = machine.check("sanitizer", code=1)
    assert "compute-sanitizer racecheck: exit 9" in machine.log("sanitizer"), summary


def what_cannot_run_is_left_out(machine):
    (machine.build / "forward_bench").unlink()
    summary = machine.check("t2", "wrappers")
    assert re.search(r"^left out .* t2 .*forward_bench was not built", summary, re.M), summary
    assert re.search(r"^passed .* wrappers", summary, re.M), summary
    summary = machine.check("wrappers", "--seconds", "1", code=1)
    assert "no time is left of 1 s" in summary and "1 not begun" in summary, summary
    stand_in(machine.build / "wrapper_check", "sleep 60")
    summary = machine.check("wrappers", "--seconds", "6", code=1)
    assert "ended at its limit" in summary, summary
    for name in test_names():
        stand_in(machine.build / name, "exit 77")
    summary = machine.check("tests")
    assert "tests skipped itself" in summary and "passed" not in summary, summary


def without_a_gpu_it_builds(machine):
    stand_in(machine.tools / "nvidia-smi", "exit 9")
    for code, word, wanted in ((0, "passed", 77), (3, "FAILED", 1)):
        stand_in(machine.tools / "cmake", f"echo cmake said so; exit {code}")
        summary = machine.check("build", "wrappers", "t3", code=wanted)
        assert re.search(rf"^{word} .* build", summary, re.M), summary
        assert (code == 0) != ("cmake said so; build.log" in summary), summary
        for step in ("wrappers", "t3"):
            assert re.search(rf"^left out .* {step} .*no NVIDIA GPU is here", summary, re.M), \
                summary
        assert "3 steps" in summary and "T3 was cut down" not in summary, summary


def words_are_checked():
    for words in ([], ["out", "nothing"], ["out", "--seconds", "x"], ["out", "--device", "tpu"],
                  ["out", "--wrong"], ["out", "--device"]):
        done = subprocess.run([SCRIPT, *words], capture_output=True, text=True, check=False,
                              cwd=tempfile.gettempdir())
        assert done.returncode == 64 and done.stderr, (words, done)


def the_script_is_sound():
    if shutil.which("shellcheck"):
        done = subprocess.run(["shellcheck", SCRIPT], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stdout


def main():
    the_script_is_sound()
    words_are_checked()
    dry_run_names_what_is_built()
    with tempfile.TemporaryDirectory(prefix="gpu-check-") as folder:
        machine = Machine(folder)
        every_step_passes(machine)
        failures_are_seen(machine)
        what_cannot_run_is_left_out(machine)
        without_a_gpu_it_builds(machine)
    print(f"{len(STEPS)} steps with stand-ins, {machine.runs} runs")


main()
