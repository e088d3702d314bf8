"""tree - the files that the lints look at: the tree as a clone has it, less build folders."""

import os
import pathlib

TOP = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("base", "kernels", "tokenizer", "engine", "protocol", "tools", "bench", "tests")
CODE = (".c", ".h", ".cc", ".cu", ".cuh")


def files(suffixes=None):
    """Paths relative to the top, sorted; with suffixes only those."""
    found = []
    for folder, folders, names in os.walk(TOP):
        folders[:] = [n for n in folders
                      if n not in (".git", "__pycache__", "Testing") and not n.startswith("build")]
        for name in names:
            if name == ".git":  # of a worktree: a file that says where its repository is
                continue
            path = pathlib.Path(folder, name).relative_to(TOP)
            if not suffixes or path.suffix in suffixes:
                found.append(path)
    return sorted(found)


def read(path):
    return (TOP / path).read_text(encoding="utf-8", errors="replace")


def finish(name, findings, looked_at):
    """Prints findings and gives the exit code; a lint that looked at nothing has failed."""
    for finding in findings:
        print(finding)
    print(f"{name}: {looked_at} files, {len(findings)} findings")
    return 1 if findings or not looked_at else 0
