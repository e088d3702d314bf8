#!/usr/bin/env python3
"""summary.py FOLDER: what ./check ran, from its steps and CTest's XML files; exit 1 on failure."""

import pathlib
import re
import sys
import xml.etree.ElementTree as xml

# What each set of tests leaves out, and why; printed so that nobody has to know.
LEFT_OUT = {
    "fuzz": "two minutes each, nine of them five seconds; or $COHORT_FUZZ_SECONDS",
    "release": "the kernels' tests over 20 seeds (ctest -L emu-seeds): minutes each, by hand",
    "asan": "in release only: tests labelled slow, lint, emu-faults or gate; tests/emu/engine,\n"
            "           _company and _seeds (tests/emu/families has the same path); _failure (writes\n"
            "           to address 0 on purpose); tools/kbench_case and _emulated (what they compute\n"
            "           is watched in the kernels' own tests), gpu_check (runs stand-ins); hard/* are\n"
            "           the tests of steps alone: a preemption at every turn concerns no other",
    "tsan": "only tests that start threads: base/queue, kernels/device, engine/constraint_table,\n"
            "           engine/forward, engine/engine*, the server; by hand (ctest --test-dir\n"
            "           build/tsan -R NAME), seconds of processor: tests/e2e/serve_http 20, page 30,\n"
            "           serve_openai 61, serve_fields 25, other_clients 33, reference_clients 13",
}


def reason_of(output):
    """The line in which a skipped test says why."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith("[")]
    return said[-1] if said else "no reason given"


def parts_skipped(output):
    """Tests within a passing test program that were skipped, with the line that says why."""
    lines = output.splitlines()
    for i, line in enumerate(lines):
        unit = re.match(r"(\w+) \(.*\.\.\. skipped ['\"](.*)['\"]$", line)
        if unit:
            yield unit.group(1), unit.group(2)
        found = re.match(r"\[\s*SKIPPED\s*\] (\w+)$", line.strip())
        if found and not re.search(r"listed below", line):
            before = [text for text in lines[:i] if not text.startswith("[")]
            if lines[i - 1].startswith("["):
                continue  # the list at the end names them again
            yield found.group(1), before[-1] if before else "no reason given"


def read_set(path, counts, notes):
    passed = failed = skipped = 0
    slowest = (0.0, "")
    for case in xml.parse(path).getroot().iter("testcase"):
        name = f"{path.stem} {case.get('name')}"
        output = case.findtext("system-out") or ""
        slowest = max(slowest, (float(case.get("time") or 0), case.get("name")))
        if case.get("status") == "run":
            passed += 1
            notes += [f"part of {name}: {part}: {why}" for part, why in parts_skipped(output)]
        elif "SKIP_RETURN_CODE" in (case.find("skipped").get("message") or ""
                                    if case.find("skipped") is not None else ""):
            skipped += 1
            notes.append(f"{name}: {reason_of(output)}")
        else:
            failed += 1
            notes.append(f"FAILED {name}")
    print(f"  {path.stem:8} {passed} passed, {failed} failed, {skipped} skipped; "
          f"slowest {slowest[1]} {slowest[0]:.1f} s")
    if path.stem in LEFT_OUT:
        print(f"  {'':8} {LEFT_OUT[path.stem]}")
    counts[0] += passed
    counts[1] += failed
    counts[2] += skipped


def main():
    folder = pathlib.Path(sys.argv[1])
    counts, notes = [0, 0, 0], []
    print("\nsteps (builds take the time that the tests of those before leave idle):")
    for line in (folder / "steps").read_text().splitlines():
        result, seconds, name = line.split(" ", 2)
        counts[0 if result == "passed" else 1] += 1
        print(f"  {result} {int(seconds):4} s  {name}")
    print("tests:")
    for path in sorted(folder.glob("*.xml")):
        read_set(path, counts, notes)
    if notes:
        print("skipped or failed:")
        for note in notes:
            print(f"  {note}")
    passed, failed, skipped = counts
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


sys.exit(main())
