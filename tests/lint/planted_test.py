#!/usr/bin/env python3
"""planted_test - the lints against a small tree with faults planted in it: each must be found,
and nothing else."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LONG_BODY = "    work();\n" * 70
# Spelled in pieces, so that the lint on words does not find this file.
MACHINE_PATH, UNFINISHED, NOTICE = "/ro" "ot/x", "FIX" "ME", "Copyri" "ght 2020 Somebody"

# File, content, what the lint says of it (None: nothing).
PLANTED = {
    "layers": [
        ("base/up.c", '#include "engine/engine.h"\n', "may not include engine/engine.h"),
        ("engine/engine.h", '#include "base/ok.h"\n', None),
        ("engine/side.h", "", None),
        ("base/ok.h", "#include <stdint.h>\n", None),
        ("protocol/minions/a.c", '#include "engine/side.h"\n', "may not include engine/side.h"),
        ("protocol/minions/b.c", '#include "protocol/dsl/dsl.h"\n', None),
        ("protocol/minions/c.c", '#include "protocol/dsl/ast.h"\n', "protocol/dsl/ast.h"),
        ("protocol/dsl/dsl.h", '#include "engine/engine.h"\n', None),
        ("protocol/dsl/ast.h", '#include "protocol/api/x.h"\n', "protocol/api/x.h"),
        ("protocol/api/x.h", "#include <cjson/cJSON.h>\n", "may not use <cjson/cJSON.h>"),
        ("kernels/odd.c", "#include <fancy/lib.h>\n", "is no library of ours"),
        ("engine/x_test.c", '#include "protocol/api/x.h"\n#include <cmocka.h>\n', None),
    ],
    "sizes": [
        ("base/long.c", "int x;\n" * 601, "601 lines"),
        ("base/long.h", "int x;\n" * 201, "201 lines"),
        ("base/wide.c", "int " + "x" * 93 + ";\n", "98 columns"),
        ("base/body.c", f"void f(void)\n{{\n{LONG_BODY}}}\n", "f has 73 lines"),
        ("base/many.c", "int g(int a, int b, int c, int d, int e,\n      int f)\n{\n}\n",
         "g has 6 parameters"),
        ("base/five.c", "int g(int a, int b, int c, int d, int e, struct error *err)\n{\n}\n", None),
        ("base/deep.c", "void h(void)\n{\n" + "".join(
            "    " * n + "if (x) {\n" for n in range(1, 5)) + "}\n", "h is nested deeper"),
    ],
    "words": [
        ("base/path.c", f'"{MACHINE_PATH}"\n', "a path of one machine"),
        ("base/mark.c", f"/* {UNFINISHED} */\n", "unfinished work"),
        ("base/notice.c", f"/* {NOTICE} */\n", "another's notice"),
        ("base/blob.c", "\0", "is binary"),
        ("base/good.c", "/* methods, roots, works, homes */\n", None),
    ],
}


def run(lint, planted):
    """Findings of one lint over a tree of planted files, by file."""
    with tempfile.TemporaryDirectory() as folder:
        top = pathlib.Path(folder)
        (top / "tests/lint").mkdir(parents=True)
        for name in ("tree.py", f"{lint}.py"):
            shutil.copy(HERE / name, top / "tests/lint")
        for path, content, _ in planted:
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_text(content)
        done = subprocess.run([sys.executable, top / f"tests/lint/{lint}.py"], text=True,
                              capture_output=True, check=False)
        assert done.returncode == 1, f"{lint} exits with {done.returncode}: {done.stderr}"
        return done.stdout.splitlines()[:-1]


def main():
    wrong = []
    for lint, planted in PLANTED.items():
        findings = run(lint, planted)
        for path, _, want in planted:
            of_path = [f for f in findings if f.startswith(path + ":")]
            if (want is None and of_path) or (want and not any(want in f for f in of_path)):
                wrong.append(f"{lint}: {path}: want {want}, got {of_path}")
    for line in wrong:
        print(line)
    print(f"planted: {sum(map(len, PLANTED.values()))} files, {len(wrong)} not as planted")
    return 1 if wrong else 0


sys.exit(main())
