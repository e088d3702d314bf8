#!/usr/bin/env python3
"""faults_test BUILD-FOLDER - the suite of faults is judged itself: what is harmless must be
reported as not seen, what cannot be planted as such, what is seen for something else too."""

import pathlib
import sys
import tempfile

import faults

# Faults of kv_copy, whose unit is small, and what the suite must say of each.
PLANTED = """op: kv_copy

[renamed] finds "differs"
file: kernels/kv_copy.cu
- const int64_t index = blockIdx.x / pieces;
- const int64_t first = blockIdx.x % pieces * PIECE + static_cast<int64_t>(threadIdx.x) * 16;
- const uint8_t *from = data + args.from[index] * page_bytes;
- uint8_t *to = data + args.to[index] * page_bytes;
+ const int64_t copy = blockIdx.x / pieces;
+ const int64_t first = blockIdx.x % pieces * PIECE + static_cast<int64_t>(threadIdx.x) * 16;
+ const uint8_t *from = data + args.from[copy] * page_bytes;
+ uint8_t *to = data + args.to[copy] * page_bytes;

[gone] finds "race"
file: kernels/kv_copy.cu
- a line that stands nowhere
+ another

[ambiguous] finds "race"
file: kernels/kv_copy.cu
- if (at < page_bytes)
+ if (true)

[garbled] finds "race"
file: kernels/kv_copy.cu
- const int64_t index = blockIdx.x / pieces;
+ const int64_t index = no_such_thing;

[other] finds "deadlock"
file: kernels/kv_copy.cu
- uint8_t *to = data + args.to[index] * page_bytes;
+ uint8_t *to = data + args.to[0] * page_bytes;

[seen] finds "race"
file: kernels/kv_copy.cu
- uint8_t *to = data + args.to[index] * page_bytes;
+ uint8_t *to = data + args.to[0] * page_bytes;
"""
WANTED = {"renamed": "NOT SEEN", "gone": "has these lines 0 times", "ambiguous": "2 times",
          "garbled": "does not compile", "other": "not seen as such, but as ['race']",
          "seen": None}


def shards_wrong():
    """Parts must be all of it, in order, none twice, whatever the numbers."""
    wrong = []
    for total in (1, 5, 29):
        for count in (1, 2, 3, 7):
            whole = list(range(total))
            parts = [faults.shard_of(whole, f"{i}/{count}") for i in range(1, count + 1)]
            if sum(parts, []) != whole or max(map(len, parts)) - min(map(len, parts)) > 1:
                wrong.append(f"{total} faults in {count} parts: {parts}")
    for told in ("0/3", "4/3"):
        try:
            faults.shard_of([1, 2, 3], told)
            wrong.append(f"shard {told} is taken")
        except faults.Broken:
            pass
    return wrong


def main():
    build = sys.argv[1]
    reason = faults.reason_to_skip(build)
    if reason:
        print(f"faults_test: skipped: {reason}")
        return faults.SKIPPED
    with tempfile.NamedTemporaryFile("w", suffix=".faults") as file:
        file.write(PLANTED)
        file.flush()
        planted = faults.parse(pathlib.Path(file.name))
    wrong = shards_wrong() + faults.clean_runs(build, planted)
    assert len(planted) == len(WANTED)
    for fault in planted:
        want, got = WANTED[fault["name"].split("/")[1]], faults.judge(build, fault)
        if (want is None) != (got is None) or want and want not in got:
            wrong.append(f"{fault['name']}: want {want}, got {got}")
    no_such_test = [dict(planted[0], test="no_such_test")]
    if not faults.clean_runs(build, no_such_test):
        wrong.append("a test that does not exist counts as green")
    for line in wrong:
        print(line)
    print(f"faults_test: {len(planted) + 1} verdicts, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
