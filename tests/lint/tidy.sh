#!/bin/sh
# tidy BUILD-FOLDER - clang-tidy with the checks of .clang-tidy, over all sources but the tests.
build=$1
cd "$(dirname "$0")/../.." || exit 1
if ! command -v clang-tidy >/dev/null; then
    echo "tidy: clang-tidy is not here"
    exit 77
fi
# Files of another processor's instructions are compiled by tools/scripts/check_arm alone.
find base kernels tokenizer engine protocol tools bench -name '*.c' ! -name '*_test.c' \
    ! -name '*_neon.c' ! -name '*_dotprod.c' ! -name '*_i8mm.c' -print0 |
    xargs -0 -n 32 -P "$(nproc)" clang-tidy -p "$build" --quiet 2>/dev/null
