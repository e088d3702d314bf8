#!/usr/bin/env python3
"""dsl_unicode - writes protocol/dsl/unicode_tables.c from this Python's own Unicode database.

Run with CPython 3.11 (Unicode 14), whose str methods the language follows. Prints the file.
"""

import unicodedata

(ALPHA, DECIMAL, DIGIT, NUMERIC, UPPER, LOWER, TITLE, HIDDEN, SPACE, CASE_IGNORABLE, NAME_START,
 NAME_PART) = (1 << bit for bit in range(12))


def flags(code):
    c = chr(code)
    f = 0
    f |= ALPHA * c.isalpha() | DECIMAL * c.isdecimal() | DIGIT * c.isdigit()
    f |= NUMERIC * c.isnumeric() | UPPER * c.isupper() | LOWER * c.islower()
    f |= TITLE * (unicodedata.category(c) == "Lt")
    f |= HIDDEN * (not c.isprintable()) | SPACE * c.isspace()
    # What str.lower looks over when it decides whether a sigma is final.
    f |= CASE_IGNORABLE * (unicodedata.category(c) in ("Mn", "Me", "Cf", "Lm", "Sk"))
    f |= NAME_START * c.isidentifier() | NAME_PART * ("a" + c).isidentifier()
    return f


def rows(items, columns=95):
    row = ""
    for item in items:
        if row and 4 + len(row) + len(item) > columns:
            print("    " + row)
            row = ""
        row += item
    print("    " + row)


def property_ranges():
    ranges, last = [], None
    for code in range(0x110000):
        now = flags(code)
        if now != last:
            ranges.append((code, now))
            last = now
    return ranges


def case_runs(method):
    """Runs of (first, last, step, delta) over code points that map to one other."""
    runs = []
    for code in range(0x80, 0x110000):
        to = getattr(chr(code), method)()
        if len(to) != 1 or ord(to) == code:
            continue
        delta = ord(to) - code
        if runs:
            first, last, step, old = runs[-1]
            gap = code - last
            if delta == old and gap <= 2 and (first == last or gap == step):
                runs[-1] = (first, code, gap, old)
                continue
        runs.append((code, code, 1, delta))
    return runs


def long_cases(method):
    found = []
    for code in range(0x80, 0x110000):
        to = getattr(chr(code), method)()
        if len(to) > 1:
            found.append((code, to))
    return found


def main():
    print("/* unicode_tables - made by tools/scripts/dsl_unicode.py from Unicode "
          f"{unicodedata.unidata_version}. */")
    print('#include "protocol/dsl/unicode_tables.h"\n')
    print("/* clang-format off */")
    ranges = property_ranges()
    kinds = sorted({f for _, f in ranges})
    print("const uint32_t unicode_tables_properties[] = {")
    rows([f"0x{c:x},{kinds.index(f)}," for c, f in ranges])
    print("};")
    print("const uint32_t unicode_tables_kinds[] = {")
    rows([f"{f}," for f in kinds])
    print("};")
    print(f"const uint32_t unicode_tables_property_count = {len(ranges)};\n")
    for method in ("lower", "upper", "title"):
        runs = case_runs(method)
        if method == "title":
            runs = [r for r in runs if chr(r[0]).title() != chr(r[0]).upper()]
        print(f"const struct unicode_tables_run unicode_tables_{method}[] = {{")
        rows([f"{{0x{a:x},0x{b:x},{s},{d}}}," for a, b, s, d in runs])
        print("};")
        print(f"const uint32_t unicode_tables_{method}_count = {len(runs)};\n")
    found = long_cases("upper")
    print("const struct unicode_tables_long unicode_tables_long_upper[] = {")
    rows(["{0x%x,{%s}}," % (c, ",".join(f"0x{ord(x):x}" for x in to)) for c, to in found])
    print("};")
    print(f"const uint32_t unicode_tables_long_upper_count = {len(found)};")
    print("/* clang-format on */")


main()
