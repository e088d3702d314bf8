#!/usr/bin/env python3
"""sizes - how long things are (DESIGN.md law 5, STYLE.md).

A file has at most 600 lines, a header 200, a function 70, a kernel 150; a line 96 columns; a
function 5 parameters, not counting the struct error * at its end; nesting is 3 deep, in tests
and benches, which walk over all combinations, 4. Code is formatted, so a function is what
stands between a '{' and a '}' in the first column.
"""

import re
import sys

import tree

FILE_MAX, HEADER_MAX, FUNCTION_MAX, KERNEL_MAX = 600, 200, 70, 150
COLUMNS_MAX, PARAMETERS_MAX, NESTING_MAX, TEST_NESTING_MAX = 96, 5, 3, 4

# Doors whose shape is a contract between rooms: (file, function).
WIDE_ON_PURPOSE = {
    ("kernels/parts/simt_cuda.cuh", "simt_launch"): "called through SIMT_LAUNCH alone",
    ("kernels/parts/simt_emu.h", "simt_launch"): "called through SIMT_LAUNCH alone",
    ("base/error.c", "error_set"): "called through FAIL alone",
    ("protocol/dsl/dsl.c", "dsl_prepare_jobs"): "the language's door, dsl.h",
    ("protocol/dsl/dsl.c", "dsl_transform"): "the language's door, dsl.h",
    ("protocol/api/http_read.c", "http_read_request"): "called by libmicrohttpd",
}
OPENS = re.compile(r"^( +)(?:\} else |else |)(?:if|for|while|switch|do)\b.*")


def parameters(head):
    """How many parameters a function's head has, the trailing struct error * left out."""
    inside = head[head.find("(") + 1:head.rfind(")")]
    inside = re.sub(r"\([^()]*\)", "", inside)
    names = [part for part in inside.split(",") if part.strip() not in ("", "void")]
    if names and re.fullmatch(r"\s*struct error \*\s*\w*\s*", names[-1]):
        names.pop()
    return len(names)


def functions(lines):
    """Each function as (index of its head's first line, of '{', of '}')."""
    opened = None
    for i, line in enumerate(lines):
        if line == "{":
            opened = i
        elif line.startswith("}") and opened is not None:
            head = opened
            while head > 0 and lines[head - 1].strip() and not re.match(
                    r"[#}]|.*\*/$|//|.*;$|extern \"C\"", lines[head - 1]):
                head -= 1
            yield head, opened, i
            opened = None


def check_function(path, lines, place, findings):
    head, opened, closed = place
    text = " ".join(lines[head:opened])
    name = re.search(r"(\w+)\s*\(", text)
    name = name.group(1) if name else "?"
    limit = KERNEL_MAX if "__global__" in text else FUNCTION_MAX
    if closed - head + 1 > limit:
        findings.append(f"{path}:{head + 1}: {name} has {closed - head + 1} lines, "
                        f"at most {limit}")
    if parameters(text) > PARAMETERS_MAX and (str(path), name) not in WIDE_ON_PURPOSE:
        findings.append(f"{path}:{head + 1}: {name} has {parameters(text)} parameters, "
                        f"at most {PARAMETERS_MAX}")
    is_test = path.name.endswith("_test.c") or path.parts[0] in ("bench", "tests")
    nesting = TEST_NESTING_MAX if is_test else NESTING_MAX
    for i in range(opened, closed):
        found = OPENS.match(lines[i])
        if found and len(found.group(1)) // 4 > nesting:
            findings.append(f"{path}:{i + 1}: {name} is nested deeper than {nesting}")
            break


def main():
    findings = []
    sources = tree.files(tree.CODE)
    for path in sources:
        lines = tree.read(path).splitlines()
        limit = HEADER_MAX if path.suffix in (".h", ".cuh") else FILE_MAX
        if len(lines) > limit:
            findings.append(f"{path}: {len(lines)} lines, at most {limit}")
        findings += [f"{path}:{i + 1}: {len(line)} columns, at most {COLUMNS_MAX}"
                     for i, line in enumerate(lines) if len(line) > COLUMNS_MAX]
        for place in functions(lines):
            check_function(path, lines, place, findings)
    return tree.finish("sizes", findings, len(sources))


sys.exit(main())
