#!/usr/bin/env python3
"""oracle.py GOLDEN_TEST [PROGRAMS [SEED]]: random programs, against what CPython makes of them.

Programs are written from oracle_rules.txt, run here and by `GOLDEN_TEST -`, and must print the
same: the type and value of each expression, or the exception's class and message. One Python
version at a time is the oracle: 3.11 (skipped, exit code 77, under others: messages differ).
Where an integer leaves 64 bits or a power is complex, ours raises, and where a value outgrows the
language's budgets it stops: the rest of that program is not compared; how many that concerns is
told. Each function of a program is compared for itself. Sets are shown sorted: their order is
nobody's promise, so a line whose characters are those of the other in another order is no mismatch
where its own function makes a set; how many that concerns is told, too. Not written is what is
known to differ: \\b beside a letter beyond ASCII and \\B in an empty text, which RE2 sees
otherwise; .*? by itself, of which CPython finds longer matches, too; a lone surrogate, for which
json.loads gives U+FFFD, as a str here is UTF-8; what hangs on the order of a set. Exit code 1 when
a value, type or exception's class differs; each kind is shown once, messages that are worded
otherwise are counted, and shown with ORACLE_SHOW=1 (and the programs).
"""

import collections
import contextlib
import io
import json
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import warnings

RULES = pathlib.Path(__file__).with_name("oracle_rules.txt")
BATCH = 500
BYTES = 2 << 30
WHOLE = (resource.getrlimit(resource.RLIMIT_AS)[1],) * 2  # what a process may have at most
STUCK_S = 5  # processor time of a program that SIGVTALRM does not end
PROBES = 6  # expressions of a program
WRONG = 0.02  # how often a value is of another kind than the form wants
OUTSIDE = ("64 bits", "complex, which this language has not")  # what ours says of it
LEFT = "left 64 bits"  # a line where it did, told by the test
BUDGET = "budget"  # the whole line of a program that was stopped
SETS = re.compile(r"\b(frozen)?set\b|\{[^{}:]*\}|\.(union|keys|items)\(|[(!{ ]t[)!}]")
ADDRESS = re.compile(r" at 0x[0-9a-f]+(?=>)")  # ours show none
END = "-- end of a function"
PRELUDE = """import re, json, math, itertools, functools, string
from typing import Any, Dict, List, Optional, Tuple, Union
from collections import Counter, defaultdict, OrderedDict
def canon(x):
    if isinstance(x, (set, frozenset)):
        return type(x).__name__ + str(sorted(map(canon, x)))
    if type(x) in (list, tuple):
        return type(x).__name__ + '[' + ', '.join(map(canon, x)) + ']'
    return type(x).__name__ + ' ' + repr(x)
def show(x):
    print(canon(x))
G = 1
"""
VARIABLES = {"int": "a", "str": "s", "ints": "l", "dict": "d", "any": "v", "counter": "c",
             "set": "t"}
BODY = "    a, s, l, d, v, c, t, g = 1, 'ab', [1, 2], {'a': 1}, None, Counter('ab'), {1}, " \
       "defaultdict(list)\n"


def read_rules():
    rules, name = {}, ""
    for line in RULES.read_text(encoding="utf-8").replace('"""tri\n  ple"""',
                                                          '"""tri\\nple"""').split("\n"):
        if line.startswith("  "):
            rules[name].append(line[2:])
        elif line and not line.startswith("#"):
            name = line
            rules[name] = []
    return {name: (forms[:forms.index("..")] if ".." in forms else forms,
                   [form for form in forms if form != ".."]) for name, forms in rules.items()}


class Writer:
    """Programs, each made of the choices of one random number generator."""

    PART = re.compile(r"\{\{|\}\}|\{(\w+)(?:\|([\w:,]+))?\}")

    def __init__(self, rules, seed):
        self.rules = rules
        self.random = random.Random(seed)

    def value(self, kind, depth, scope):
        names = [name for name, of in scope.items() if of == kind or (kind == "any" and of != "set")]
        if names and self.random.random() < 0.3:
            return self.random.choice(names)
        if self.random.random() < WRONG and kind in VARIABLES:
            kind = self.random.choice([one for one in VARIABLES if one != "set"])
        plain, forms = self.rules[kind]
        form = self.random.choice(forms if depth > 0 else plain)
        return self.fill(form, depth - 1, scope)

    def fill(self, form, depth, scope):
        def part(found):
            if not found[1]:
                return found[0][0]
            kind = found[1]
            if kind in ("block", "loop", "body"):
                return self.block(kind, depth, scope)
            if kind == "var":
                return self.random.choice(list(scope) or ["G"])
            inner = dict(scope)
            inner.update(pair.split(":") for pair in (found[2] or "").split(",") if pair)
            text = self.value(kind, depth, inner)
            whole = found.start() == 0 and found.end() == len(form)
            wrap = not whole and kind in self.COMPOUND and not self.ATOM.fullmatch(text)
            if text[:1].isdigit() and form[found.end():].startswith("."):
                wrap = True  # 1.real is no attribute
            return f"({text})" if wrap else text

        return self.PART.sub(part, form)

    ATOM = re.compile(r"[\w.]+|'[^']*'|\[\w*\]|\(\)|\{\}")
    COMPOUND = {"int", "float", "str", "strs", "ints", "bool", "any", "dict", "set", "tuple",
                "counter", "pairs", "nested", "small", "floats", "match", "char", "type"}

    def block(self, kind, depth, scope):
        lines = [self.statement(depth - 1, scope) for _ in range(self.random.randint(1, 3))]
        if kind == "loop":
            lines.insert(self.random.randint(0, len(lines)),
                         f"if {self.value('bool', 1, scope)}:\n    " +
                         self.random.choice(["break", "continue"]))
        if kind == "body":
            lines.append(f"return {self.value('any', 1, scope)}")
        return "\n" + "\n".join("    " + line for text in lines for line in text.split("\n"))

    def statement(self, depth, scope):
        plain, forms = self.rules["stmt"]
        form = self.random.choice(forms if depth > 0 else plain)
        return self.fill(form.replace("\\n", "\n"), depth, scope)

    def program(self):
        tries = []
        scope = {name: kind for kind, name in VARIABLES.items()}
        lines = [self.statement(3, scope) for _ in range(self.random.randint(2, 6))]
        lines.append("return (a, s, l, d, v, c, t, dict(g))")
        tries.append("def f():\n" + BODY + "".join(
            f"    {line}\n" for text in lines for line in text.split("\n")))
        for _ in range(PROBES):
            tries.append(f"def f():\n    return {self.value('any', 4, {})}\n")
        return PRELUDE + "".join(
            text + "try:\n    show(f())\nexcept Exception as e:\n"
            "    print(type(e).__name__, '|', e)\nprint('" + END + "')\n" for text in tries)


class TooLong(BaseException):
    pass


def stop(_signal, _frame):
    raise TooLong


def expected(program):
    """What CPython prints; None when it is no program, or one that goes on and on."""
    out = io.StringIO()
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.5)
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(compile(program, "program", "exec"), {"__name__": "builtins"})
        except (SyntaxError, MemoryError, TooLong):
            return None
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    text = ADDRESS.sub("", out.getvalue())
    return None if "MemoryError" in text else text


def expected_all(programs):
    """The same for each, in a process that ends where a C function goes on and on."""
    told = []
    while len(told) < len(programs):
        reads, writes = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reads)
            with open(writes, "w", encoding="utf-8") as out:
                for program in programs[len(told):]:
                    signal.setitimer(signal.ITIMER_PROF, STUCK_S)
                    out.write(json.dumps(expected(program)) + "\n")
                    out.flush()
            os._exit(0)
        os.close(writes)
        with open(reads, encoding="utf-8") as lines:
            told += [json.loads(line) for line in lines]
        if os.waitpid(pid, 0)[1]:
            told.append(None)
    return told


def ours(binary, programs):
    # The limit is for CPython's side: a sanitizer's address space would not fit into it.
    done = subprocess.run([binary, "-"], input="\0".join(programs).encode(), check=True,
                          stdout=subprocess.PIPE,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, WHOLE))
    return [text.decode() for text in done.stdout.split(b"\xff")[:-1]]


def kind_of(ours_line, line):
    """What a mismatch is about, with its values left out."""
    return tuple(re.sub(r"'[^']*'|\"[^\"]*\"|\d+", "_", text)[:60] for text in (ours_line, line))


class Tally:
    lines = outside = worded = ordered = 0


def compare_function(text, got_lines, want_lines, tally, seen):
    """One function's lines; what differs is put into seen."""
    for number, line in enumerate(want_lines):
        mine = got_lines[number] if number < len(got_lines) else "(nothing)"
        if mine == line:
            tally.lines += 1
            continue
        if mine in (LEFT, BUDGET) or any(words in mine for words in OUTSIDE):
            tally.outside += 1
        elif sorted(mine) == sorted(line) and SETS.search(text.replace(BODY, "")):
            tally.ordered += 1
        else:
            words = " | " in line and mine.split(" | ")[0] == line.split(" | ")[0]
            seen[(words, *kind_of(mine, line))].append((text, mine, line))
            tally.worded += words
        return


def compare(program, got, want, tally, seen):
    """Function by function; one that asks for the global counter stands only while none before it
    went another way."""
    texts = re.split(r"(?m)^(?=def f\(\):)", program)[1:]
    got_parts, want_parts = got.split(END + "\n"), want.split(END + "\n")
    is_same = True
    for number, (text, part) in enumerate(zip(texts, want_parts)):
        if number == len(got_parts):  # a budget has ended the program before
            return
        mine = got_parts[number]
        if is_same or not re.search(r"\bG\b", text):
            compare_function(text, mine.split("\n")[:-1], part.split("\n")[:-1], tally, seen)
        is_same = is_same and mine == part


def main():
    if sys.version_info[:2] != (3, 11):
        print("the oracle is Python 3.11; this is", sys.version.split()[0])
        sys.exit(77)
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, WHOLE[1]))
    signal.signal(signal.SIGVTALRM, stop)
    binary = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    writer = Writer(read_rules(), seed)
    seen = collections.defaultdict(list)
    ran = dropped = 0
    tally = Tally()
    while ran < count:
        programs = [writer.program() for _ in range(min(BATCH, count - ran))]
        wanted = expected_all(programs)
        programs = [p for p, want in zip(programs, wanted) if want is not None]
        dropped += len(wanted) - len(programs)
        for program, got, want in zip(programs, ours(binary, programs),
                                      [want for want in wanted if want is not None]):
            compare(program, got, want, tally, seen)
        ran += len(programs)
    verbose = "ORACLE_SHOW" in os.environ
    for kind, found in sorted(seen.items(), key=lambda item: -len(item[1])):
        program, mine, line = min(found, key=lambda one: len(one[0]))
        if verbose or not kind[0]:
            print(f"---- {len(found)} times\nours   {mine}\npython {line}")
        if verbose:
            print(program)
    mismatches = sum(map(len, seen.values())) - tally.worded
    print(f"programs: {ran}, lines: {tally.lines}, mismatches: {mismatches}, worded otherwise: "
          f"{tally.worded}, outside the subset: {tally.outside}, by a set's order: {tally.ordered}, "
          f"not programs: {dropped}")
    sys.exit(1 if mismatches else 0)


if __name__ == "__main__":
    main()
