#!/usr/bin/env python3
"""perplexity_test BINARY - cohort perplexity: each token of the text is predicted once, whatever
the windows; the windows are what they say; precisions and models are held against each other."""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
DATA = pathlib.Path(os.environ.get("COHORT_TEST_DATA") or "../shared/data")
MODEL = DATA / "models/stories260K/stories260K.gguf"
TEXT = ("Once upon a time, there was a little girl named Lily. She liked to play with her ball "
        "in the park. One day, she saw a big dog. The dog was very happy. ")


def told(*words, code=0):
    done = subprocess.run([BINARY, "perplexity", "-m", MODEL, "--json", *map(str, words)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          check=False)
    assert done.returncode == code, (words, done)
    return json.loads(done.stdout) if code == 0 else done.stderr.decode()


def close(a, b):
    return abs(a - b) < 1e-9 * max(1, abs(a))


def main():
    if not MODEL.exists():
        print(f"perplexity: {MODEL} is not here")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        text = pathlib.Path(folder, "text")
        text.write_text(TEXT * 3)
        whole = told(text)
        count = whole["tokens"]
        assert whole["scored"] == count - 1 and whole["window"] == 512, whole
        assert close(whole["perplexity"], math.exp(whole["nll"])), whole
        assert 1 < whole["perplexity"] < 10, whole
        for window in (2, 3, 64, count - 1, count, count + 1):
            for stride in {1, window // 2, window - 1, window} - {0}:
                got = told(text, "--window", window, "--stride", stride)
                assert got["scored"] == count - 1, (window, stride, got)
                if window >= count:
                    assert close(got["nll"], whole["nll"]), (window, stride, got)

        # The token after a window is predicted from all of the window: as the next window's
        # context ends there, a stride of 1 predicts each from `window` tokens.
        one = told(text, "--tokens", 6)["nll"] * 5
        assert close(one, told(text, "--tokens", 6, "--window", 5, "--stride", 1)["nll"] * 5)
        far = told(text, "--tokens", 6, "--window", 2, "--stride", 1)["nll"] * 5
        assert not close(one, far)

        same = told(text, "--against", MODEL)["against"]
        assert same["kl"] == 0 and same["same_top"] == 1 and close(same["nll"], whole["nll"])
        int8 = told(text, "--precision", "int8")
        pair = told(text, "--precision", "both", "--window", 40, "--stride", 13)
        assert 0 < pair["against"]["kl"] < 0.1 and pair["against"]["precision"] == "exact"
        pair = told(text, "--precision", "both")
        assert close(pair["nll"], int8["nll"]) and close(pair["against"]["nll"], whole["nll"])

        assert "stride" in told(text, "--window", 8, "--stride", 9, code=64)
        assert "context" in told(text, "--window", 100000, code=65)
        text.write_text("")
        assert "at least 2" in told(text, code=65)
    print(f"perplexity: {count} tokens, {whole['perplexity']:.3f}")
    return 0


sys.exit(main())
