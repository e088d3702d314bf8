#!/usr/bin/env python3
"""plot - gnuplot pictures from the files of cohort kbench --json and workload --json.

    bench/plot.py kbench.jsonl [loads.jsonl] --out FOLDER [--png]

Writes, for each picture, NAME.dat and NAME.gp, and NAME.svg (or .png) where gnuplot is installed:
    roof_KERNEL   share of the measured limit over M, one line per variant
    time_KERNEL   microseconds over M
    count_KERNEL  of an emulated run: sectors and bank conflicts per request over M
    layer_MODEL   of kbench layer: each kernel's share, a column per M
    ops_LOAD      where a workload's time went (workload --ops --json)
The first line of each data file names device, commit and date, as the run's head does.
"""

import argparse
import collections
import json
import pathlib
import shutil
import subprocess


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def name_of(text):
    return "".join(c if c.isalnum() else "_" for c in text)


class Picture:
    """A data file of blocks, and the script that draws them."""

    kind = "svg"

    def __init__(self, folder, name, title, source):
        self.path = folder / name_of(name)
        self.title, self.source, self.blocks = title, source, []

    def block(self, label, rows):
        self.blocks.append((label, rows))

    def write(self, settings, style):
        lines = [f"# {self.source}"]
        for label, rows in self.blocks:
            lines += ["", "", f'"{label}"'] if len(lines) > 1 else [f'"{label}"']
            lines += [" ".join(str(value) for value in row) for row in rows]
        self.path.with_suffix(".dat").write_text("\n".join(lines) + "\n", encoding="utf-8")
        data = self.path.with_suffix(".dat").name
        plots = ", \\\n     ".join(f'"{data}" index {i} {style} title columnheader(1)'
                                   for i in range(len(self.blocks)))
        terminal = {"svg": "svg size 900,540 background rgb 'white'",
                    "png": "pngcairo size 900,540"}[self.kind]
        script = [f"set terminal {terminal}",
                  f'set output "{self.path.with_suffix("." + self.kind).name}"',
                  f'set title "{self.title}\\n{self.source}" noenhanced',
                  "set key outside noenhanced", "set grid", *settings, f"plot {plots}"]
        self.path.with_suffix(".gp").write_text("\n".join(script) + "\n", encoding="utf-8")
        if shutil.which("gnuplot"):
            subprocess.run(["gnuplot", self.path.with_suffix(".gp").name], check=True,
                           cwd=self.path.parent)


def kbench_pictures(records, folder):
    heads = [record for record in records if record.get("record") == "head"]
    head = heads[-1] if heads else {}
    source = f"{head.get('device', '?')}, commit {head.get('commit', '?')}, {head.get('date', '?')}"
    kernels = collections.defaultdict(lambda: collections.defaultdict(dict))
    for row in records:
        if row.get("record") == "row" and "us" in row and not row.get("phase"):
            label = f"{row['variant']} {row['model']} {row['dtype']} {row['mode']}".strip()
            kernels[row["kernel"]][label][row["m"]] = row  # the last of equal rows counts
    for kernel, lines in kernels.items():
        roof = Picture(folder, f"roof_{kernel}", f"{kernel}: share of the roofline", source)
        time = Picture(folder, f"time_{kernel}", f"{kernel}: microseconds", source)
        for label, rows in sorted(lines.items()):
            points = [rows[m] for m in sorted(rows)]
            time.block(label, [(row["m"], row["us"]) for row in points])
            if any("sol" in row for row in points):
                roof.block(label, [(row["m"], 100 * row["sol"]) for row in points
                                   if "sol" in row])
        time.write(["set logscale xy 2", 'set xlabel "M"', 'set ylabel "us"'],
                   "using 1:2 with linespoints")
        if roof.blocks:
            roof.write(["set logscale x 2", "set yrange [0:105]", 'set xlabel "M"',
                        'set ylabel "% of the measured limit"'], "using 1:2 with linespoints")
    return len(kernels)


def counter_pictures(records, folder):
    """Of rows without times: the emulator's."""
    kernels = collections.defaultdict(lambda: collections.defaultdict(dict))
    for row in records:
        if row.get("record") == "row" and "sectors_per_request" in row and "us" not in row \
                and not row.get("phase"):
            label = f"{row['variant']} {row['model']} {row['dtype']}".strip()
            kernels[row["kernel"]][label][row["m"]] = row
    for kernel, lines in kernels.items():
        picture = Picture(folder, f"count_{kernel}", f"{kernel}: per request, small shapes",
                          "emulated")
        for label, rows in sorted(lines.items()):
            for name, column in (("sectors", "sectors_per_request"),
                                 ("conflicts", "conflicts_per_request")):
                picture.block(f"{name} {label}", [(m, rows[m][column]) for m in sorted(rows)])
        picture.write(["set logscale x 2", 'set xlabel "M"', "set yrange [0:*]"],
                      "using 1:2 with linespoints")
    return len(kernels)


def layer_pictures(records, folder):
    layers = collections.defaultdict(lambda: collections.defaultdict(dict))
    for row in records:
        if row.get("phase") and "share" in row:
            label = f"{row['kernel']} {row['variant']}".strip()
            layers[f"{row['model']} {row['phase']}"][label][row["m"]] = row
    for name, steps in layers.items():
        first = next(iter(next(iter(steps.values())).values()))
        what = "measured" if "us" in first else "MODEL of an RTX 4090"
        picture = Picture(folder, f"layer_{name}", f"a layer of {name}: share by kernel",
                          f"{first['device']}, {what}")
        for label, sizes in steps.items():
            picture.block(label, [(f'"M {m}"', 100 * sizes[m]["share"]) for m in sorted(sizes)])
        more = [f"set linetype {n} lc rgb '{colour}'" for n, colour in
                enumerate(("#8a8a8a", "#7fc97f", "#f4a6c0", "#6b4226"), start=9)]
        picture.write([*more, "set style data histograms", "set style histogram rowstacked",
                       "set style fill solid", "set boxwidth 0.6", "set yrange [0:100]",
                       'set ylabel "%"'], "using 2:xtic(1)")
    return len(layers)


def load_pictures(records, folder):
    count = 0
    for record in records:
        ops = record.get("ops_s")
        if not ops:
            continue
        rows = [(f'"{name}"', seconds) for name, seconds in ops.items()]
        rows += [('"gaps in steps"', record.get("gaps_in_steps_s", 0)),
                 ('"gaps between steps"', record.get("gaps_between_steps_s", 0))]
        name = f"{record['load']}_{record['model']}"
        picture = Picture(folder, f"ops_{name}", f"{name}: seconds by op",
                          f"{record['device']}, {record['jobs_per_s']:.3f} jobs/s")
        picture.block("seconds", rows)
        picture.write(["set style fill solid", "set boxwidth 0.7", "set xtics rotate by -40 noenhanced",
                       "set yrange [0:*]"], "using 0:2:xtic(1) with boxes")
        count += 1
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--out", default=".")
    parser.add_argument("--png", action="store_true", help="pictures as PNG, not SVG")
    args = parser.parse_args()
    Picture.kind = "png" if args.png else "svg"
    folder = pathlib.Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    records = [record for path in args.files for record in read(path)]
    makers = (kbench_pictures, counter_pictures, layer_pictures, load_pictures)
    count = sum(make(records, folder) for make in makers)
    drawn = "" if shutil.which("gnuplot") else ", as data and scripts: gnuplot is not here"
    print(f"{count} sets of pictures in {folder}{drawn}")


main()
