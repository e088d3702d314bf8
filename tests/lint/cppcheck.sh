#!/bin/sh
# cppcheck - warnings and performance, over the rooms without their tests (whose macros it reads
# as code that never comes back). legacyUninitvar is the older of two checks, and sees ghosts;
# incorrectLogicOperator cannot read hexadecimal floats; objectIndex takes a vector's lanes for an
# index past one variable.
cd "$(dirname "$0")/../.." || exit 1
if ! command -v cppcheck >/dev/null; then
    echo "cppcheck: not here"
    exit 77
fi
find base kernels tokenizer engine protocol tools \( -name '*.c' -o -name '*.cc' \) \
    ! -name '*_test.c' |
    cppcheck --file-list=- --enable=warning,performance --suppress=legacyUninitvar --std=c11 \
        --suppress=incorrectLogicOperator --suppress=objectIndex \
        --error-exitcode=1 --quiet -j 2 -D_GNU_SOURCE -D__x86_64__ -I .
