#!/usr/bin/env python3
"""words - what must not be in the tree.

No source of others (their notices, archives, binaries, generated bulk), no path of one machine,
no registry's host name, no marks of unfinished work. What a finding is made of is spelled in
pieces here, so that this file does not find itself.
"""

import re
import sys

import tree

ALLOWED = {("tools/hub.c", "a registry's host")}  # the hub that people name with hf:
SIZE_MAX = 256 << 10  # bytes; the largest file of our own is a generated table
BANNED = {
    "unfinished work": r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|WI" r"P)\b",
    "a path of one machine": r"(?<![\w.])/(ro" r"ot|ho" r"me|wo" r"rk|Us" r"ers)/",
    "a registry's host": r"(pyp" r"i\.org|pythonho" r"sted|npm" r"js\.|crates\.i" r"o|"
                         r"debian\.or" r"g|huggingface\.c" r"o|github\.co" r"m)",
    "another's notice": r"(?i)(copyri" r"ght \(c\)|copyri" r"ght \d|spdx-lic" r"ense|"
                        r"licensed un" r"der the|all rights rese" r"rved)",
}


def main():
    findings = []
    paths = tree.files()
    for path in paths:
        data = (tree.TOP / path).read_bytes()
        if b"\0" in data:
            findings.append(f"{path}: is binary")
            continue
        if len(data) > SIZE_MAX:
            findings.append(f"{path}: {len(data)} bytes, at most {SIZE_MAX}")
        text = data.decode("utf-8", "replace")
        if "\ufffd" in text:
            findings.append(f"{path}: is not UTF-8")
        for what, pattern in BANNED.items():
            if (str(path), what) in ALLOWED:
                continue
            for found in re.finditer(pattern, text):
                line = text.count("\n", 0, found.start()) + 1
                findings.append(f"{path}:{line}: {what}: {found.group(0)}")
    return tree.finish("words", findings, len(paths))


sys.exit(main())
