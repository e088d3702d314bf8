#!/usr/bin/env python3
"""embed_test BINARY - cohort embed: a line's vector is the same alone and among others."""

import json
import math
import os
import pathlib
import subprocess
import sys

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
DATA = pathlib.Path(os.environ.get("COHORT_TEST_DATA") or "../shared/data")
MODEL = DATA / "models/stories260K/stories260K.gguf"
LINES = ["Once upon a time", "Once upon a time, there was a dog.", "x", "A cat sat. " * 12,
         "Once upon a time"]


def embed(text, *words, code=0):
    done = subprocess.run([BINARY, "embed", "-m", MODEL, *words], input=text.encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          check=False)
    assert done.returncode == code, (words, done)
    return done.stdout.decode() if code == 0 else done.stderr.decode()


def main():
    if not MODEL.exists():
        print(f"embed: {MODEL} is not here")
        return 77
    for pool in ("mean", "last"):
        told = json.loads(embed("\n".join(LINES), "--json", "--pool", pool))
        vectors = told["embeddings"]
        assert len(vectors) == len(LINES) and {len(v) for v in vectors} == {told["size"]}
        assert vectors[0] == vectors[4] and vectors[0] != vectors[1]
        for line, vector in zip(LINES, vectors):
            alone = json.loads(embed(line + "\n", "--json", "--pool", pool, "--threads", "1"))
            assert alone["embeddings"] == [vector], (pool, line)
    plain = embed("\r\n".join(LINES), "--normalize").splitlines()
    assert len(plain) == len(LINES)
    for line in plain:
        assert abs(math.hypot(*map(float, line.split())) - 1) < 1e-6
    assert "line 2 is empty" in embed("a\n\nb", code=65)
    assert "0 lines" in embed("", code=65)
    assert "line 1: prompt:" in embed("a " * 3000, code=65)
    print(f"embed: {len(LINES)} lines, vectors of {told['size']}")
    return 0


sys.exit(main())
