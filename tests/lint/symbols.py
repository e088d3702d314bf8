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


def objects(folder):
    """(object file, its source) of all that is ours and no test."""
    for path in sorted(folder.glob("CMakeFiles/*.dir/**/*.o")):
        source = pathlib.Path(*path.relative_to(folder).parts[2:]).with_suffix("")
        if (tree.TOP / source).is_file() and not source.stem.endswith("_test"):
            yield path, source


def main():
    sources = {str(path): source for path, source in objects(pathlib.Path(sys.argv[1]))}
    findings = []
    names = subprocess.run(["nm", "-A", "--defined-only", "--extern-only", *sources], check=True,
                           capture_output=True, text=True).stdout
    for path, kind, name in re.findall(r"^(.*\.o):\w* ([TDBRVWC]) (\w+)$", names, re.M):
        may = stems(sources[path])
        if kind in "VW" or name == "main" or re.match(r"_Z|__", name):
            continue  # C++ library code, the program's start, sanitizers
        if not any(name == s or name.startswith(s + "_") for s in may):
            findings.append(f"{sources[path]}: exports {name}, want {' or '.join(may)}_*")
    return tree.finish("symbols", findings, len(sources))


sys.exit(main())
