#!/bin/sh
# format - every source is as clang-format 14 leaves it. Other versions differ in details, so
# without that one the test is skipped.
cd "$(dirname "$0")/../.." || exit 1
for tool in clang-format-14 clang-format; do
    "$tool" --version 2>/dev/null | grep -q 'version 14\.' && break
    tool=
done
if [ -z "$tool" ]; then
    echo "format: clang-format 14 is not here"
    exit 77
fi
find base kernels tokenizer engine protocol tools bench tests \
    \( -name '*.c' -o -name '*.h' -o -name '*.cc' -o -name '*.cu' -o -name '*.cuh' \) -print0 |
    xargs -0 "$tool" --dry-run -Werror
