#!/usr/bin/env python3
"""run.py BINARY [SECONDS]: a fuzz target for a while, from its seeds on; exit 1 on a finding.

Seeds: tests/fuzz/seeds/TARGET/*, what make_seeds below writes, and files of the test data where
those are there. What the run finds new is kept in corpus/TARGET beside the binary, and is where
the next run goes on. SECONDS: $COHORT_FUZZ_SECONDS, else 120, or 5 of those in SHORT; without
either number the fuzzer's own seed is fixed, so that ./check finds in a tree what it found before
and chance is left to the long runs. A target's own options stand in the comment at its head, in the
line that begins with its name.
"""

import io
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import zipfile

FOLDER = pathlib.Path(__file__).parent
DATA = pathlib.Path(os.environ.get("COHORT_TEST_DATA", FOLDER.parent.parent.parent / "shared/data"))
SEED_BYTES_MAX = 8192
# ./check has 25 minutes: the targets that came last get less of them.
USUAL_S, SHORT_S = 120, 5
SHORT = ("multipart_fuzz", "reply_fuzz", "documents_fuzz", "copied_fuzz", "dsl_source_fuzz",
         "dsl_tree_fuzz", "record_fuzz", "questions_fuzz", "ask_fuzz")

# Files of the test data that are seeds for a target.
DATA_SEEDS = {"gguf_fuzz": ["malformed/gguf/*"], "safetensors_fuzz": ["malformed/safetensors/*"],
              "chat_fuzz": ["chat/templates/*"]}

# The same, of files under tests/.
TREE_SEEDS = {"dsl_source_fuzz": ["dsl/golden/*.py"]}


def gguf_text(text):
    return struct.pack("<Q", len(text)) + text.encode()


def gguf_seed(version):
    """A whole file: keys of several kinds, and one tensor of four numbers."""
    keys = [gguf_text("general.architecture") + struct.pack("<I", 8) + gguf_text("llama"),
            gguf_text("llama.block_count") + struct.pack("<II", 4, 2),
            gguf_text("a.list") + struct.pack("<IIQ2f", 9, 6, 2, 0.5, 1.5),
            gguf_text("b.words") + struct.pack("<IIQ", 9, 8, 2) + gguf_text("x") + gguf_text("yz")]
    head = b"GGUF" + struct.pack("<IQQ", version, 1, len(keys)) + b"".join(keys)
    head += gguf_text("t") + struct.pack("<IQIQ", 1, 4, 0, 0)
    return head + b"\0" * (-len(head) % 32) + struct.pack("<4f", 1, 2, 3, 4)


def safetensors_seed():
    head = b'{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'
    return struct.pack("<Q", len(head)) + head + bytes(16)


def documents_seeds():
    """A Word document, and texts in other encodings; the first byte is the target's own."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<w:p><w:r><w:t>one</w:t></w:r></w:p>" * 9)
    notes = ('<w:footnote w:id="1"><w:p><w:r><w:t>a</w:t></w:r></w:p></w:footnote><w:p><w:r>'
             '<w:footnoteReference w:id="1"/><w:txbxContent><w:p/></w:txbxContent></w:r></w:p>')
    return [b"f" + notes.encode(), b"e<p hidden>a<p>b<div style='display:none'>c</div>d",
            b"d<html><meta charset=shift_jis>\x93\xfa\x96\x7b",
            b"d" + packed.getvalue(), b"d" + "caf\u00e9\r\n".encode("utf-16"),
            b"d" + "wide \U0001f600".encode("utf-16-be"), b"d" + "caf\u00e9".encode("latin-1")]


def make_seeds(target):
    if target == "gguf_fuzz":
        return [gguf_seed(2), gguf_seed(3)]
    if target == "safetensors_fuzz":
        return [safetensors_seed()]
    if target == "documents_fuzz":
        return documents_seeds()
    if target == "dsl_tree_fuzz":  # a byte is a choice: from nothing, programs stay at one statement
        return [random.Random(number).randbytes(200 + 20 * number) for number in range(32)]
    return []


def options_of(target):
    source = (FOLDER / f"{target}.c").read_text(encoding="utf-8")
    line = re.search(rf"^ \*\s+{target}((?: -\S+)*)", source, re.M)
    return line.group(1).split() if line else []


def main():
    binary = pathlib.Path(sys.argv[1])
    usual = SHORT_S if pathlib.Path(sys.argv[1]).name in SHORT else USUAL_S
    asked = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("COHORT_FUZZ_SECONDS")
    seconds = asked or str(usual)
    target = binary.name
    work = binary.parent / "corpus" / target
    work.mkdir(parents=True, exist_ok=True)
    seeds = [path.read_bytes() for path in (FOLDER / "seeds" / target).glob("*")]
    seeds += make_seeds(target)
    for pattern in TREE_SEEDS.get(target, []):
        seeds += [path.read_bytes() for path in sorted(FOLDER.parent.glob(pattern))]
    for pattern in DATA_SEEDS.get(target, []):
        seeds += [path.read_bytes() for path in sorted(DATA.glob(pattern)) if path.is_file()]
    for number, seed in enumerate(seeds):
        if len(seed) <= SEED_BYTES_MAX:
            (work / f"seed-{number:03}").write_bytes(seed)
    # libFuzzer ends a second after the one it is told.
    command = [str(binary), *options_of(target), f"-max_total_time={max(1, int(seconds) - 1)}",
               "-seed=0" if asked else "-seed=1",
               f"-artifact_prefix={work.parent}/{target}-", "-print_final_stats=1", str(work)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          text=True, errors="replace")
    told = re.search(r"number_of_executed_units:\s*(\d+)", done.stdout)
    print(f"{target}: {told.group(1) if told else 'no'} executions in {seconds} s, "
          f"{len(seeds)} seeds, exit code {done.returncode}")
    if done.returncode != 0:
        print(done.stdout[-6000:])
    sys.exit(1 if done.returncode != 0 else 0)


main()
