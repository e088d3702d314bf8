#!/usr/bin/env python3
"""plot_test - plot.py on small files: its data and scripts, and pictures where gnuplot is."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

PLOT = pathlib.Path(__file__).with_name("plot.py")
HEAD = {"record": "head", "device": "a card", "commit": "1234567", "date": "2026-01-02"}
ROW = {"record": "row", "kernel": "matmul", "variant": "q", "model": "tiny", "dtype": "int8",
       "mode": "cold"}
TIMED = [ROW | {"m": m, "us": 2.0 * m, "sol": 0.5} for m in (1, 16, 64)]
COUNTED = [ROW | {"kernel": "rope", "variant": "", "m": m, "sectors_per_request": 3,
                  "conflicts_per_request": 0.5} for m in (1, 17)]
LAYERS = [ROW | {"device": "emu", "phase": "decode", "m": m, "kernel": kernel, "variant": variant,
                 "sectors_per_request": 1, **more}
          for m in (1, 64)
          for kernel, variant, more in (("matmul", "q", {"share": 0.25}),
                                        ("silu_mul", "", {"share": 0.75}), ("layer", "", {}))]
LOAD = {"load": "t3", "model": "tiny", "device": "a card", "jobs_per_s": 2.5,
        "ops_s": {"attention": 1.5, "matmul 1->2": 0.5}, "gaps_in_steps_s": 0.1,
        "gaps_between_steps_s": 0.2}
PICTURES = ("roof_matmul", "time_matmul", "count_rope", "layer_tiny_decode", "ops_t3_tiny")


def main():
    with tempfile.TemporaryDirectory(prefix="plot-") as name:
        folder = pathlib.Path(name)
        source = folder / "in.jsonl"
        source.write_text("".join(json.dumps(record) + "\n" for record in
                                  [HEAD, *TIMED, *COUNTED, *LAYERS, LOAD]), encoding="utf-8")
        for kind, magic in (("png", b"\x89PNG"), ("svg", b"<?xml")):
            out = folder / kind
            words = [sys.executable, PLOT, source, "--out", out]
            subprocess.run(words + (["--png"] if kind == "png" else []), check=True)
            for picture in PICTURES:
                data = (out / picture).with_suffix(".dat").read_text(encoding="utf-8")
                assert data.startswith("# "), data
                assert (out / picture).with_suffix(".gp").exists()
                if shutil.which("gnuplot"):
                    made = (out / picture).with_suffix("." + kind).read_bytes()
                    assert made.startswith(magic) and len(made) > 2000, (picture, len(made))
        times = (folder / "png/time_matmul.dat").read_text(encoding="utf-8")
        assert "1 2.0\n16 32.0\n64 128.0\n" in times and "1234567" in times, times
        layer = (folder / "png/layer_tiny_decode.dat").read_text(encoding="utf-8")
        assert layer.count('"M 64"') == 2 and "75.0" in layer, layer
        ops = (folder / "png/ops_t3_tiny.dat").read_text(encoding="utf-8")
        assert '"gaps between steps" 0.2' in ops, ops
    print("gnuplot drew them" if shutil.which("gnuplot") else "no gnuplot: data and scripts")


main()
