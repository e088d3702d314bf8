#!/usr/bin/env python3
"""symbols BUILD-FOLDER - what a file exports begins with the file's own name.

kv_pool.c exports kv_pool_* alone. A file without a header of its own may export in the name
of the one that declares it: foo_cpu.c, declared in foo.h, may export foo_*.
"""

import pathlib
import re
import subprocess
import sys

import tree


def stems(source):
    """The file's whole stem, and the shorter stem under which its header stands."""
    words = source.stem.split("_")
    starts = ["_".join(words[:n]) for n in range(1, len(words) + 1)]
    with_header = [s for s in starts if (tree.TOP / source.parent / f"{s}.h").exists()]
    return [source.stem] + with_header[-1:]


def main():
    folder = pathlib.Path(sys.argv[1])
    findings, looked_at = [], 0
    for path in sorted(folder.glob("CMakeFiles/*.dir/**/*.o")):
        inside = path.relative_to(folder).parts[2:]
        source = pathlib.Path(*inside).with_suffix("")
        if not (tree.TOP / source).is_file() or source.stem.endswith("_test"):
            continue
        names = subprocess.run(["nm", "--defined-only", "--extern-only", path], check=True,
                               capture_output=True, text=True).stdout
        looked_at += 1
        for kind, name in re.findall(r" ([TDBRVWC]) (\w+)$", names, re.M):
            may = stems(source)
            if kind in "VW" or name == "main" or re.match(r"_Z|__", name):
                continue  # C++ library code, the program's start, sanitizers
            if not any(name == s or name.startswith(s + "_") for s in may):
                findings.append(f"{source}: exports {name}, want {' or '.join(may)}_*")
    return tree.finish("symbols", findings, looked_at)


sys.exit(main())
