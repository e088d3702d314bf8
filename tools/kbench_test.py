#!/usr/bin/env python3
"""kbench_test PROGRAM - kbench on the emulator and the CPU, as its files and exit codes tell.

PROGRAM is cohort_kbench. Every kernel has a row, its files say the same, a row's repro makes
that row again, and --compare fails on what grew and on nothing else.
"""

import csv
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
FOLDER = tempfile.TemporaryDirectory(prefix="kbench-")
EMULATED = ["run", "--device", "emu", "--M", "17", "--shapes", "tiny,minions30x6"]
COUNTED = ("shared_wavefronts", "global_sectors", "mma_s8", "mma_f16", "barriers")


def path_of(name):
    return str(pathlib.Path(FOLDER.name, name))


def kbench(*words, code=0):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout, done.stderr


def read(name):
    with open(path_of(name), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write(name, records):
    with open(path_of(name), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def key_of(row):
    return tuple(row[name] for name in ("kernel", "variant", "model", "shape", "m", "dtype",
                                        "mode"))


def listed():
    """{kernel: [variants]} of kbench list; one without variants has ['']."""
    kernels, name = {}, None
    for line in kbench("list")[0].splitlines():
        words = line.split()
        if line[:1].isalpha() and not line.startswith("shapes:"):
            name = words[0]
            kernels[name] = [""]
        elif words[:1] == ["variants"]:
            kernels[name] = words[1].split(",")
    return kernels


def every_kernel_has_a_row(rows):
    kernels = listed()
    told = kbench("--help")[0]
    for kernel, variants in kernels.items():
        assert kernel in told, f"--help does not name {kernel}"
        for variant in variants:
            assert any(row["kernel"] == kernel and row["variant"] == variant for row in rows), \
                f"no row of {kernel} {variant}"
    assert {row["kernel"] for row in rows} == set(kernels)


def rows_have_what_needs_no_gpu(rows):
    for row in rows:
        assert row["verdict"] in ("bit-exact", "near") and row["findings"] == 0, row
        assert all(name in row for name in COUNTED), row
        assert row["kernels_launched"] >= 1 and row["largest_launch"], row
        assert 0 < row["occupancy_at_most"] <= 1 and "occupancy" not in row, row
        assert row["threads"] % 32 == 0 and row["blocks"] >= 1, row
        assert row["shared_dynamic"] <= row["shared_bytes"], row
        assert "registers" not in row and "us" not in row, row
        if row["kernel"].startswith("matmul") or row["kernel"] == "attention":
            assert abs(row["intensity"] * row["bytes"] / row["operations"] - 1) < 1e-9, row
    assert any(row["mma_s8"] > 0 for row in rows if row["kernel"] == "matmul")


def csv_says_the_same(rows, name="rows.csv"):
    with open(path_of(name), encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(rows)
    for line, row in zip(table, rows):
        known = {name for name, value in line.items() if value != ""}
        assert known == {name for name, value in row.items()
                         if name != "record" and value != ""}, (line, row)
        for name in known:
            same = line[name] == row[name] if isinstance(row[name], str) \
                else abs(float(line[name]) - row[name]) <= 1e-8 * abs(row[name])
            assert same, (name, line[name], row[name])


def repro_makes_the_row_again(rows):
    for kernel in ("matmul", "attention", "embed"):
        row = [row for row in rows if row["kernel"] == kernel][-1]
        words = shlex.split(row["repro"])
        assert words[:2] == ["cohort", "kbench"], words
        kbench(*words[2:], "--json", path_of(f"{kernel}.jsonl"))
        again = [r for r in read(f"{kernel}.jsonl") if r["record"] == "row"]
        assert len(again) == 1 and key_of(again[0]) == key_of(row), (row["repro"], again)
        assert all(again[0][name] == row[name] for name in COUNTED), (again[0], row)


def doctored(records, kernel, name, factor):
    """The records with one figure of the first row of a kernel times factor."""
    changed = [dict(record) for record in records]
    row = next(r for r in changed if r.get("kernel") == kernel)
    row[name] *= factor
    return changed


def what_grew_is_seen(records):
    """On the emulator, where counters are what is compared."""
    compare = ["run", "embed", "matmul", *EMULATED[1:], "--compare", path_of("old.jsonl"),
               "--fail-above", "3%"]
    write("old.jsonl", records)
    told, _ = kbench(*compare)
    assert " 0 that it does not have" in told, told
    for name, factor, code in (("global_sectors", 1 / 1.04, 1), ("global_sectors", 1 / 1.02, 0),
                               ("barriers", 0, 1), ("global_sectors", 2, 0)):
        write("old.jsonl", doctored(records, "matmul", name, factor))
        _, said = kbench(*compare, code=code)
        assert ("MORE: matmul q tiny" in said and "cohort kbench run matmul" in said) == \
            (code == 1), said
    write("old.jsonl", [r for r in records if r.get("kernel") == "sample"])
    _, said = kbench(*compare, code=1)
    assert "has none of these rows" in said, said


def a_slower_row_is_seen():
    """On the CPU, where medians are; the doctored ones are far from any noise."""
    words = ["run", "embed", "--device", "cpu", "--M", "5", "--shapes", "tiny", "--seconds",
             "0"]
    timed = words[:-1] + ["0.001", "--json", path_of("cpu.jsonl")]
    kbench(*timed)
    records = read("cpu.jsonl")
    for factor, code in ((1e-6, 1), (1e6, 0)):
        write("old.jsonl", doctored(records, "embed", "us", factor))
        _, said = kbench(*words[:-1], "0.001", "--compare", path_of("old.jsonl"),
                         "--fail-above", "3%", code=code)
        assert ("MORE: embed" in said) == (code == 1), said


def a_projection_is_labelled():
    words = ["run", "matmul", "--variant", "q", *EMULATED[1:]]
    plain, _ = kbench(*words)
    told, _ = kbench(*words, "--project", "4090", "--json", path_of("model.jsonl"))
    row = read("model.jsonl")[-1]
    assert "MODEL" not in plain and told.count("MODEL") == 2, told
    assert row["model_us"] > 2 and row["model_limit"] == "memory", row


def wrong_words_leave_no_file():
    for words, said in ((["run", "frob"], "no kernel named frob"),
                        (["layer", "matmul"], "matmul: takes no kernels")):
        out, err = kbench(*words, "--device", "emu", "--json", path_of("none.jsonl"), code=65)
        assert out == "" and said in err and not pathlib.Path(path_of("none.jsonl")).exists()


def layer_words(device, *more):
    return ["layer", "--device", device, "--shapes", "tiny", "--M", "3", "--seconds", "0.001",
            *more]


def a_layer_is_the_sum_of_its_steps():
    for device, figure, whole in (("emu", "model_us", "model_us"), ("cpu", "us", "sum_us")):
        path = path_of(f"layer-{device}.jsonl")
        told, _ = kbench(*layer_words(device, "--json", path, "--csv", path_of("layer.csv")))
        rows = [row for row in read(f"layer-{device}.jsonl") if row["record"] == "row"]
        steps, layer = rows[:-1], rows[-1]
        assert layer["kernel"] == "layer" and layer["phase"] == "decode", layer
        assert len(steps) == 9 and all(step["phase"] == "decode" for step in steps), steps
        assert abs(sum(step["share"] for step in steps) - 1) < 1e-9, steps
        total = sum(step["calls"] * step[figure] for step in steps)
        assert abs(total / layer[whole] - 1) < 1e-9, layer
        assert ("MODEL 4090" in told) == (device == "emu"), told
        csv_says_the_same(rows, "layer.csv")
        assert len({row["repro"] for row in rows}) == 1, rows
        again = shlex.split(layer["repro"])[2:] + ["--json", path_of("again.jsonl")]
        kbench(*again)
        assert [key_of(row) for row in read("again.jsonl")[-len(rows):]] == \
            [key_of(row) for row in rows]
    assert layer["us"] > 0 and layer["mode"] == "batch", layer


def what_grew_in_a_layer_is_seen():
    """Steps and the whole are rows: counters on the emulator, medians on the CPU."""
    for device, name in (("emu", "global_sectors"), ("cpu", "us")):
        records = read(f"layer-{device}.jsonl")
        for kernel, factor, code in (("layer", 1e-6, 1), ("rope", 1e-6, 1), (None, 1, 0)):
            changed = [dict(row) for row in records]
            for row in changed:
                if name in row:  # what is not doctored is far above any noise
                    row[name] *= factor if row["kernel"] == kernel else 1e6
            write("old.jsonl", changed)
            told, said = kbench(*layer_words(device, "--compare", path_of("old.jsonl"),
                                             "--fail-above", "3%"), code=code)
            assert "10 rows, 0 that it does not have" in told, told
            assert said.count("MORE: ") == (kernel is not None), said
            assert kernel is None or (f"MORE: {kernel} " in said and
                                      "cohort kbench layer" in said), said
    _, said = kbench(*layer_words("emu", "--compare", path_of("cpu.jsonl")), code=1)
    assert "has none of these rows" in said, said


def main():
    kbench(*EMULATED, "--json", path_of("rows.jsonl"), "--csv", path_of("rows.csv"))
    records = read("rows.jsonl")
    rows = [record for record in records if record["record"] == "row"]
    assert records[0]["record"] == "head" and len(rows) == len(records) - 1
    every_kernel_has_a_row(rows)
    rows_have_what_needs_no_gpu(rows)
    csv_says_the_same(rows)
    repro_makes_the_row_again(rows)
    what_grew_is_seen(records)
    a_slower_row_is_seen()
    a_projection_is_labelled()
    a_layer_is_the_sum_of_its_steps()
    what_grew_in_a_layer_is_seen()
    wrong_words_leave_no_file()
    print(f"{len(rows)} rows of {len(listed())} kernels")


main()
