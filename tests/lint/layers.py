#!/usr/bin/env python3
"""layers - who may include whom (DESIGN.md, laws 1 and 4).

Rooms include downwards only. protocol sees one header of the engine and one of the tokenizer.
The rooms inside protocol do not see each other, but for minions, which may open dsl/dsl.h.
Each third-party library is known to the files named here and to no others. Test programs may
look into every room, as tests/ does, but are held to the same libraries as the file they test.
"""

import re
import sys

import tree

MAY = {
    "base": ["base/"],
    "kernels": ["base/", "kernels/"],
    "tokenizer": ["base/", "tokenizer/"],
    "engine": ["base/", "kernels/", "tokenizer/", "engine/"],
    "protocol": ["base/", "engine/engine.h", "tokenizer/tokenizer.h"],
    "tools": ["base/", "kernels/", "tokenizer/", "engine/", "protocol/", "tools/"],
    "bench": ["base/", "kernels/", "tokenizer/", "engine/", "protocol/", "bench/", "tests/"],
    "tests": ["base/", "kernels/", "tokenizer/", "engine/", "protocol/", "tools/eval.h",  # questions_fuzz
              "tests/"],
}
EXTRA = {"protocol/minions/": ["protocol/dsl/dsl.h"]}

# Header -> the files that may include it.
LIBRARIES = {
    r"cjson/|cJSON": r"base/json[a-z_]*\.c",
    r"curl/": r"protocol/minions/remote_http\.c|tools/fetch\.c",
    r"tree_sitter/": r"protocol/dsl/(parse|lower[a-z_]*|chunk[a-z_]*)\.[ch]",
    r"re2/": r"protocol/dsl/regex_re2\.cc",
    r"sqlite3": r"protocol/(minions/journal(_tables|_test)?\.c|api/store(_test)?\.c|api/store_query\.h)",
    r"zip\.h": r"protocol/minions/document_docx(_test)?\.c",
    r"microhttpd": r"protocol/api/http(_exchange|_read)?\.[ch]",
    r"seccomp": r"protocol/dsl/[a-z_]+\.c",
    r"cuda|cublas|nvrtc": r"kernels/(.*\.cuh?|device[a-z_]*\.[ch]|ops_cuda[a-z_]*\.[ch])",
    r"simde/": r"tests/harness/portable_avx512\.h",
    r"cmocka": r".*_test\.c|tests/.*\.[ch]|protocol/.*test[a-z_]*\.h",
}
SYSTEM = (r"[a-z0-9_]+\.h|sys/[a-z]+\.h|linux/[a-z_]+\.h|netinet/[a-z]+\.h|arpa/[a-z]+\.h|"
          r"string|vector|memory|algorithm|cstring|new|exception")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)


def allowed_own(path, target):
    room = path.parts[0]
    if room not in MAY or path.name.endswith("_test.c"):
        return any(target.startswith(other + "/") for other in tree.ROOMS)
    places = list(MAY[room])
    if room == "protocol":
        inner = f"protocol/{path.parts[1]}/"
        places += [inner] + EXTRA.get(inner, [])
    return any(target == place or (place.endswith("/") and target.startswith(place))
               for place in places)


def wrong(path, quote, target):
    """Why path may not include target; None when it may."""
    if quote == '"':
        if not (tree.TOP / target).exists():
            return None  # generated, or the compiler will say so
        return None if allowed_own(path, target) else f"may not include {target}"
    for library, users in LIBRARIES.items():
        if re.match(library, target):
            name = str(path)
            return None if re.fullmatch(users, name) else f"may not use <{target}>"
    return None if re.fullmatch(SYSTEM, target) else f"<{target}> is no library of ours"


def main():
    findings = []
    sources = tree.files(tree.CODE)
    for path in sources:
        text = tree.read(path)
        for found in INCLUDE.finditer(text):
            why = wrong(path, *found.groups())
            if why:
                line = text.count("\n", 0, found.start()) + 1
                findings.append(f"{path}:{line}: {why}")
    return tree.finish("layers", findings, len(sources))


sys.exit(main())
