#!/bin/bash
# gpu_check - everything that wants a GPU, with one command, on a machine with a GPU, nvcc, a C
# compiler, CMake and nothing else: no network, no packages, no file outside this tree but a
# folder with cJSON (and, for step tests, cmocka) where the system has none.
#
#   tools/gpu_check.sh OUTDIR [STEP...] [--libs DIR] [--device cuda|emu] [--seconds N] [--build DIR]
#   tools/gpu_check.sh --dry-run [STEP...] [--build DIR]
#
#   step       what                                                         expect  limit (s)
#   build      both back ends: the kernels by nvcc and by the emulator         120    270
#   wrappers   each wrapper of kernels/parts/simt.cuh, bit for bit as emulated   2     30
#   twins      each kernel, variant and number format against its plain twin    20     90
#   engine     the whole engine: the CPU's texts, alone and among others        10     60
#   tests      the kernels' and the engine's own tests (where cmocka is)        40     90
#   emulated   kbench's cases against the emulator, bit for bit                 20     60
#   t3         chunks x jobs on synthetic weights                               60    120
#   kbench     every kernel's time beside the card's limits                     60    100
#   t2 t1 t4   passes by rows; one reader; the recorded runs              20 20 30   each 60
#   sanitizer  compute-sanitizer's four tools on small cases                    80    120
#
# "expect" is a guess until a run has told; "limit" is kept. Without steps: all of them, in that
# order, which tells most first, and ends within --seconds (default 570) whatever hangs: a step
# is ended at its limit, and one for which no time is left is left out. For machines lent for
# five minutes: `gpu_check.sh OUT build wrappers twins engine tests`, and the rest in a second
# call with the same OUT; what was built is used again.
#
# --dry-run runs nothing: it prints each step's commands, and whether the programs and tests that
# they name are in --build DIR (default: build/gpu_DEVICE, then build/cuda); exit code 1 when one
# is not.
#
# The build is for the card's architecture alone: for sm_90, tests included, under 112 s of
# processor time on a Zen 4 (303 steps, network cut, cJSON carried, 1 MiB of it). From that and the
# longest kernel file (8 s), a guess: 30 s on 16 cores, 1 to 2 minutes on 2 idle ones. T3 is cut down here: x3 is 256 chunks, x8 is 96 and x16 is 48, not 1,024.
#
# Leaves in OUTDIR: summary.txt, STEP.log, kbench.txt, kbench.jsonl, kbench.csv, loads.txt,
# loads.jsonl. Exit code: 0 all passed, 1 a step failed, 77 there is no GPU: then step build is
# done, for all architectures, and the others are left out (with --device emu the steps that the
# emulator can do are run and judged all the same).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 70

all=(build wrappers twins engine tests emulated t3 kbench t2 t1 t4 sanitizer)
declare -A limits=([build]=270 [wrappers]=30 [twins]=90 [engine]=60 [tests]=90 [emulated]=60
    [t3]=120 [kbench]=100 [t2]=60 [t1]=60 [t4]=60 [sanitizer]=120)
words=() steps=() out="" libs="" device=cuda seconds=570 folder="" dry=""
usage() {
    sed -n '2,/^set/p' tools/gpu_check.sh | sed '$d; s/^# \{0,1\}//'
}
while [ $# -gt 0 ]; do
    case $1 in
    --libs) libs=${2:-} && shift ;;
    --device) device=${2:-} && shift ;;
    --seconds) seconds=${2:-} && shift ;;
    --build) folder=${2:-} && shift ;;
    --dry-run) dry=1 ;;
    -h | --help) usage && exit 0 ;;
    -*) usage >&2 && exit 64 ;;
    *) words+=("$1") ;;
    esac
    [ $# -eq 0 ] || shift # an option without its value was the last word
done
if [ -n "$dry" ]; then
    out=$(mktemp -d) && trap 'rm -rf "$out"' EXIT
elif [ ${#words[@]} -gt 0 ]; then
    out=${words[0]} words=("${words[@]:1}")
else
    usage >&2 && exit 64
fi
steps=("${words[@]}")
case $device in
cuda | emu) ;;
*) echo "gpu_check: --device $device: cuda or emu" >&2 && exit 64 ;;
esac
[ ${#steps[@]} -gt 0 ] || steps=("${all[@]}")
for step in "${steps[@]}"; do
    [ -n "${limits[$step]:-}" ] || { echo "gpu_check: no step named $step" >&2 && exit 64; }
done
[[ $seconds =~ ^[0-9]+$ ]] || { echo "gpu_check: --seconds $seconds: no number" >&2 && exit 64; }

mkdir -p "$out" || exit 73
out=$(realpath "$out")
if [ -z "$folder" ]; then
    folder=build/gpu_$device
    [ -n "$dry" ] && [ ! -d "$folder" ] && folder=build/cuda
fi
shapes=llama-3.2-3b,llama-3.1-8b,qwen2.5-7b,minions30x6
if [ -n "$libs" ]; then
    libs=$(realpath "$libs")
    export CPATH=$libs/include LIBRARY_PATH=$libs/lib
    export LD_LIBRARY_PATH=$libs/lib:${LD_LIBRARY_PATH:-}
fi
export out libs device folder shapes dry

say() {
    echo "$*" | tee -a "$out/summary.txt"
}

has_gpu() {
    command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q '^GPU'
}

has_cmocka() {
    printf '#include <%s>\n' setjmp.h stdarg.h stddef.h stdint.h cmocka.h |
        sed '$a int main(void) { return 0; }' |
        cc -x c - -lcmocka -o /dev/null 2>/dev/null
}

# Architecture of the card alone, so that nvcc works once: "90-real".
architecture() {
    local cap
    cap=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1)
    [ -n "$cap" ] && echo "${cap/./}-real" || echo "89-real;90-real"
}

# ---- the steps: 0 passed, 77 left out with the reason as its last line, else failed ----

# What fails to build does not keep the rest from being built.
build() {
    local options=(-S . -B "$folder" -DCOHORT_TOOLS=OFF -DCOHORT_EMU=ON)
    local targets=(cohort_kbench wrapper_check workload forward_bench) go_on=-k
    [ -n "$libs" ] && options+=("-DCOHORT_CJSON=$libs")
    [ "$device" = cuda ] &&
        options+=(-DCOHORT_CUDA=ON "-DCMAKE_CUDA_ARCHITECTURES=$(architecture)")
    if has_cmocka; then
        targets+=(tests_emu_engine_test)
        for test in kernels/*_simt_test.c; do
            test=${test//\//_} && targets+=("${test%.c}")
        done
        options+=(-DBUILD_TESTING=ON)
    else
        options+=(-DBUILD_TESTING=OFF)
    fi
    command -v ninja >/dev/null && [ ! -f "$folder/CMakeCache.txt" ] && options+=(-G Ninja)
    execute cmake "${options[@]}" || return 1
    [ -n "$dry" ] && { wants "${targets[@]}"; return; }
    grep -q '^CMAKE_GENERATOR:INTERNAL=Ninja' "$folder/CMakeCache.txt" && go_on=-k0
    execute cmake --build "$folder" -j "$(nproc)" --target "${targets[@]}" -- $go_on
}

wants() { # PROGRAM...: false with a line for each that was not built
    local program missing=0
    for program in "$@"; do
        [ -x "$folder/$program" ] && continue
        echo "$program was not built" && missing=1
        [ -n "$dry" ] && echo "$program" >>"$out/missing"
    done
    return $missing
}

# PROGRAM WORDS...: runs it; dry, prints it instead.
execute() {
    [ -n "$dry" ] || { "$@"; return; }
    echo "  $*" >>"$out/commands"
}

kbench_run() {
    wants cohort_kbench || return 77
    execute "$folder/cohort_kbench" run --device "$device" "$@"
}

load() { # NAME OPTIONS...: a line of JSON
    wants workload || return 77
    execute "$folder/workload" "$@" --device "$device" --json | tee -a "$out/loads.jsonl"
}

load_ops() { # the same as text, with the time of each op
    wants workload || return 77
    execute "$folder/workload" "$@" --device "$device" --ops | tee -a "$out/loads.txt"
}

wrappers() {
    wants wrapper_check || return 77
    execute "$folder/wrapper_check" "$device"
}

twins() {
    local rows=1,15,16,17,33 models=$shapes
    [ "$device" = emu ] && rows=17 models=qwen2.5-7b,minions30x6 # ten minutes' worth otherwise
    kbench_run --small --verify --seconds 0 --dtype all --M $rows --shapes "$models"
}

checksum() { # DEVICE OPTIONS...: of all texts of a small T3
    local sizes=(--chunks 3 --jobs 3 --shared 70 --own 20 --out 8)
    [ "$device" = emu ] && sizes=(--chunks 2 --jobs 2 --shared 18 --own 4 --out 2)
    execute "$folder/workload" t3 -m synthetic:tiny "${sizes[@]}" --precision int8 --kv int8 --json \
        --device "$@" |
        sed -n 's/.*"checksum":"\([0-9a-f]*\)".*/\1/p'
}

# The same texts as the CPU's, in either order, in small steps, and few side by side.
engine() {
    local told expected failed=0 options
    wants workload || return 77
    expected=$(checksum cpu)
    [ -n "$dry" ] && expected=dry
    [ -n "$expected" ] || { echo "the CPU gives no texts" && return 1; }
    for options in "" "--order task" "--step 32" "--sequences 1" "--sequences 2 --order task"; do
        # shellcheck disable=SC2086 # words
        told=$(checksum "$device" $options)
        [ -n "$dry" ] && told=dry
        echo "texts of t3 tiny $options: ${told:-none}, the CPU's $expected"
        [ "$told" = "$expected" ] || failed=1
    done
    return $failed
}

tests() {
    local source test failed=0 code count=0 skipped=0
    for source in kernels/*_simt_test.c tests/emu/engine_test.c; do
        test=${source//\//_} test=${test%.c}
        [ -n "$dry" ] && wants "$test"
        [ -n "$dry" ] || [ -x "$folder/$test" ] || { echo "-- $test was not built" && continue; }
        [ "$device" = emu ] && continue # ctest -L emu runs these
        echo "-- $test"
        execute timeout 45 "$folder/$test" "$device"
        code=$?
        count=$((count + 1))
        [ $code -eq 77 ] && skipped=$((skipped + 1))
        [ $code -eq 0 ] || [ $code -eq 77 ] || { echo "$test: exit $code" && failed=1; }
    done
    [ $count -gt 0 ] || { echo "no test of $device was built: cmocka is not here" && return 77; }
    [ -n "$dry" ] || [ $skipped -lt $count ] || { echo "each of $count tests skipped itself" && return 77; }
    return $failed
}

emulated() {
    local options=(--as-emulated)
    [ "$device" = emu ] && options=()
    kbench_run "${options[@]}" --seconds 0 --M 1,17 --shapes llama-3.1-8b,minions30x6
}

sanitizer() {
    local tool failed=0
    if [ "$device" = emu ] || { [ -z "$dry" ] && ! command -v compute-sanitizer >/dev/null; }; then
        echo "compute-sanitizer is not here"
        return 77
    fi
    wants cohort_kbench || return 77
    for tool in memcheck racecheck initcheck synccheck; do
        execute timeout 60 compute-sanitizer --tool $tool --error-exitcode 9 "$folder/cohort_kbench" run \
            --device cuda --small --verify --seconds 0 --M 17 --shapes llama-3.1-8b ||
            { echo "compute-sanitizer $tool: exit $?" && failed=1; }
    done
    return $failed
}

# Four tables and a layer's budget; one that fails does not keep the others from being made.
kbench() {
    local options=(--M "1,16,64,256,2048" --mode "cold,graph" --baseline cublaslt) failed=0
    [ "$device" = emu ] && options=(--M "1,17" --verify)
    table() {
        kbench_run "$@" --json "$out/kbench.jsonl" | tee -a "$out/kbench.txt" || failed=1
    }
    wants cohort_kbench || return 77
    table "${options[@]}" --seconds 0.05 --shapes llama-3.1-8b --project 4090 \
        --csv "$out/kbench.csv"
    table attention "${options[@]}" --shapes minions30x6 --baseline sorted
    [ "$device" = emu ] && return $failed
    table matmul --variant gate_up,down --M 1..128/3 --mode cold --seconds 0.02 \
        --shapes llama-3.1-8b
    table matmul --M 64,512 --seconds 0.05 --shapes llama-3.2-3b,qwen2.5-7b
    execute "$folder/cohort_kbench" layer --device "$device" --M 64 --seconds 0.05 \
        --shapes llama-3.1-8b,minions30x6 --project 4090 --json "$out/kbench.jsonl" |
        tee -a "$out/kbench.txt" || failed=1
    return $failed
}

t1() {
    local failed=0
    [ "$device" = emu ] && { load t1 -m synthetic:tiny --jobs 1 --own 40 --out 4; return; }
    load t1 -m synthetic:llama-3.1-8b --own 128 --out 128 || failed=$?
    load t1 -m synthetic:llama-3.1-8b --own 2048 --out 128 || failed=$?
    return $failed
}

t2() {
    local model=llama-3.1-8b options=(--seconds 0.5 --rows "1,16,64,256,1024,4096")
    options+=(--batches "1,16,64,256")
    [ "$device" = emu ] && model=tiny &&
        options=(--seconds 0 --rows 33 --batches "1,8" --context 64)
    wants forward_bench || return 77
    execute "$folder/forward_bench" "synthetic:$model" --device "$device" --precision int8 --kv int8 \
        "${options[@]}" | tee -a "$out/loads.txt"
}

# The load that counts comes first, and each on its own: what is ended at the limit has left
# the lines before it. Where the time of each op is taken, steps are no graphs: that run is last.
t3() {
    local sizes=(--shared 800 --own 250 --out 100 --sequences 512 --step 4096) failed=0
    local model=synthetic:llama-3.1-8b
    [ "$device" = emu ] && {
        load t3 -m synthetic:tiny --chunks 2 --jobs 3 --shared 40 --own 20 --out 3
        return
    }
    echo "T3 is cut down: x3 of 256 chunks, x8 of 96, x16 of 48; the whole is 1,024"
    load t3 -m $model "${sizes[@]}" --chunks 256 --jobs 3 --order chunk || failed=$?
    load t3 -m $model "${sizes[@]}" --chunks 256 --jobs 3 --order task || failed=$?
    load t3 -m $model "${sizes[@]}" --chunks 96 --jobs 8 --order task || failed=$?
    load t3 -m $model "${sizes[@]}" --chunks 48 --jobs 16 --order task || failed=$?
    load t3 -m synthetic:llama-3.2-3b "${sizes[@]}" --chunks 256 --jobs 3 --order chunk ||
        failed=$?
    load_ops t3 -m $model "${sizes[@]}" --chunks 64 --jobs 3 --order chunk || failed=$?
    return $failed
}

t4() {
    local file=${COHORT_TEST_DATA:-../shared/data}/minions/workload.json
    [ -f "$file" ] || [ -n "$dry" ] || { echo "no $file: T4 is left out" && return 77; }
    [ "$device" = emu ] && { echo "T4 is more than an emulator gets through" && return 77; }
    load t4 -m synthetic:llama-3.1-8b --file "$file" --runs 1 --sequences 512 --step 4096
}

# LOG: the first line of it that tells of a failure, else its last.
why() {
    local line
    line=$(grep -m 1 -E 'FAILED|WRONG|SLOWER|error|Error|exit [0-9]|missing|device: ' "$1")
    [ -n "$line" ] || line=$(tail -n 1 "$1")
    echo "${line:0:160}"
}

# STEP: in a shell of its own that is ended, with all it has started, at its limit.
run() {
    local name=$1 start=$SECONDS limit=${limits[$1]} code took log=$out/$1.log
    local left=$((seconds - SECONDS))
    if [ -n "$no_gpu" ] && [ "$name" != build ]; then
        say "$(printf '%-9s %4s s  %-9s %s' "left out" - "$name" "no NVIDIA GPU is here")"
        return
    fi
    [ $left -lt "$limit" ] && limit=$left
    if [ "$limit" -lt 5 ]; then
        say "$(printf '%-9s %4s s  %-9s %s' "left out" - "$name" "no time is left of $seconds s")"
        late=$((late + 1))
        return
    fi
    echo "== $name, at most $limit s"
    timeout --signal=KILL "$limit" bash -uo pipefail -c "$name" >"$log" 2>&1
    code=$? took=$((SECONDS - start))
    case $code in
    0) say "$(printf '%-9s %4d s  %-9s' passed $took "$name")" ;;
    77) say "$(printf '%-9s %4d s  %-9s %s' "left out" $took "$name" "$(tail -n 1 "$log")")" ;;
    124 | 137) say "$(printf '%-9s %4d s  %-9s %s' FAILED $took "$name" "ended at its limit; $name.log")" ;;
    *) say "$(printf '%-9s %4d s  %-9s %s' FAILED $took "$name" "exit $code: $(why "$log"); $name.log")" ;;
    esac
    case $code in
    0 | 77) ;;
    *)
        grep -nE 'FAILED|WRONG|SLOWER|error|Error|exit [0-9]' "$log" | head -n 8
        tail -n 5 "$log"
        failures=$((failures + 1))
        ;;
    esac
}
export -f has_cmocka architecture build wants execute kbench_run load load_ops wrappers twins checksum engine \
    tests emulated sanitizer kbench t1 t2 t3 t4

# Steps by their commands alone. A step whose program is missing says so and ends early.
dry_run() {
    local step count
    : >"$out/missing"
    for step in "${steps[@]}"; do
        echo "$step, at most ${limits[$step]} s, in $folder:"
        : >"$out/commands"
        "$step" >/dev/null 2>&1
        cat "$out/commands"
    done
    if [ -f "$folder/CTestTestfile.cmake" ] && command -v ctest >/dev/null; then
        count=$(ctest --test-dir "$folder" -N -L gpu 2>/dev/null | sed -n 's/^Total Tests: //p')
        echo "ctest -L gpu has ${count:-0} tests in $folder"
    fi
    sort -u "$out/missing" | sed 's/^/not built: /'
    [ ! -s "$out/missing" ]
}
if [ -n "$dry" ]; then
    dry_run
    exit $?
fi

failures=0 late=0 no_gpu=""
say "gpu_check $(date -u +%Y-%m-%dT%H:%M:%SZ), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), $device"
if has_gpu; then
    say "$(nvidia-smi -L | head -n 1)"
else
    say "no NVIDIA GPU is here (nvidia-smi lists none): nothing is measured on one"
    [ "$device" = emu ] || no_gpu=1
fi
for step in "${steps[@]}"; do
    run "$step"
done
[ -z "$no_gpu" ] && printf '%s\n' "${steps[@]}" | grep -qx t3 &&
    say "T3 was cut down: x3 of 256 chunks, x8 of 96, x16 of 48; the whole is 1,024 chunks"
say "${#steps[@]} steps, $failures failed, $late not begun, $SECONDS s"
[ $failures -eq 0 ] && [ $late -eq 0 ] || exit 1
[ -z "$no_gpu" ] || exit 77
