"""clients - run a test in the Python environment that has the clients of clients.txt."""

import os
import pathlib
import sys

import serving

PYTHON = pathlib.Path(serving.CACHE, "clients/bin/python")


def enter():
    """Starts this test again in that environment, unless it runs there; skips it without."""
    if pathlib.Path(sys.prefix) == PYTHON.parents[1]:
        return
    if not PYTHON.exists() or not serving.MODEL.exists():
        print(f"skipped: {PYTHON} or the demo model is missing; see tools/scripts/setup --check")
        sys.exit(77)
    os.execv(PYTHON, [str(PYTHON), *sys.argv])
