#!/bin/bash
# gpu_check - everything that wants a GPU, with one command, on a machine with a GPU, nvcc, a C
# compiler, CMake and nothing else: no network, no packages, no file outside this tree but a
# folder with cJSON where the system has none.
#
#   tools/gpu_check.sh OUTDIR [STEP...] [--cjson DIR] [--device cuda|emu]
#
#   build      both back ends: the GPU's kernels by nvcc, and by the emulator
#   wrappers   each wrapper of kernels/parts/simt.cuh, bit for bit as emulated
#   twins      each kernel, variant and number format against its plain twin
#   emulated   the same cases against the emulator, bit for bit where sums are exact
#   sanitizer  compute-sanitizer's four tools on small cases, where it is installed
#   kbench     every kernel's time beside the card's limits
#   t1 t2 t3 t4
#              the workloads on synthetic weights
#
# Without steps: all of them, in that order, in less than ten minutes. Leaves in OUTDIR:
# summary.txt, check.log, kbench.txt, kbench.jsonl, kbench.csv, loads.txt, loads.jsonl.
# Exit code: 0 all passed, 1 a step failed, 77 there is no GPU (with --device emu the steps
# that the emulator can do are run and judged all the same).
set -uo pipefail
cd "$(dirname "$0")/.."

all=(build wrappers twins emulated sanitizer kbench t1 t2 t3 t4)
steps=() out="" cjson="" device=cuda
while [ $# -gt 0 ]; do
    case $1 in
    --cjson) cjson=$2 && shift ;;
    --device) device=$2 && shift ;;
    -*) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' && exit 64 ;;
    *) if [ -z "$out" ]; then out=$1; else steps+=("$1"); fi ;;
    esac
    shift
done
[ -n "$out" ] || { echo "usage: tools/gpu_check.sh OUTDIR [STEP...] [--cjson DIR]" >&2 && exit 64; }
[ ${#steps[@]} -gt 0 ] || steps=("${all[@]}")
for step in "${steps[@]}"; do
    case " ${all[*]} " in *" $step "*) ;; *) echo "gpu_check: no step named $step" >&2 && exit 64 ;; esac
done

mkdir -p "$out"
folder=build/gpu_$device
log=$out/check.log
shapes=llama-3.2-3b,llama-3.1-8b,qwen2.5-7b,minions30x6
: >>"$log"

say() {
    echo "$*" | tee -a "$out/summary.txt"
}

has_gpu() {
    command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q '^GPU'
}

# Architecture of the card alone, so that nvcc works once: "90-real".
architecture() {
    local cap
    cap=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1)
    [ -n "$cap" ] && echo "${cap/./}-real" || echo "89-real;90-real"
}

build() {
    local options=(-S . -B "$folder" -DCOHORT_TOOLS=OFF -DBUILD_TESTING=OFF -DCOHORT_EMU=ON)
    [ -n "$cjson" ] && options+=("-DCOHORT_CJSON=$(realpath "$cjson")")
    [ "$device" = cuda ] && options+=(-DCOHORT_CUDA=ON "-DCMAKE_CUDA_ARCHITECTURES=$(architecture)")
    command -v ninja >/dev/null && [ ! -f "$folder/CMakeCache.txt" ] && options+=(-G Ninja)
    cmake "${options[@]}" &&
        cmake --build "$folder" -j "$(nproc)" --target cohort_kbench wrapper_check workload \
            forward_bench
}

kbench() {
    "$folder/cohort_kbench" run --device "$device" "$@"
}

load() { # NAME OPTIONS...: as text and as JSON, from one run each
    "$folder/workload" "$@" --device "$device" --ops | tee -a "$out/loads.txt" &&
        "$folder/workload" "$@" --device "$device" --json | tee -a "$out/loads.jsonl"
}

wrappers() {
    "$folder/wrapper_check" "$device"
}

twins() {
    local rows=1,15,16,17,33 models=$shapes
    [ "$device" = emu ] && rows=17 models=qwen2.5-7b,minions30x6 # ten minutes' worth otherwise
    kbench --small --verify --seconds 0 --dtype all --M $rows --shapes "$models"
}

emulated() {
    local options=(--as-emulated)
    [ "$device" = emu ] && options=()
    kbench "${options[@]}" --seconds 0 --M 1,17 --shapes llama-3.1-8b,minions30x6
}

sanitizer() {
    local tool failed=0
    if [ "$device" = emu ] || ! command -v compute-sanitizer >/dev/null; then
        echo "compute-sanitizer is not here"
        return 77
    fi
    for tool in memcheck racecheck initcheck synccheck; do
        timeout 60 compute-sanitizer --tool $tool --error-exitcode 9 "$folder/cohort_kbench" run \
            --device cuda --small --verify --seconds 0 --M 17 --shapes llama-3.1-8b || failed=1
    done
    return $failed
}

kbench_all() {
    local options=(--M 1,16,64,256,2048 --mode cold,graph --baseline cublaslt)
    [ "$device" = emu ] && options=(--M 1,17 --verify)
    kbench "${options[@]}" --seconds 0.05 --shapes llama-3.1-8b --project 4090 \
        --json "$out/kbench.jsonl" --csv "$out/kbench.csv" | tee -a "$out/kbench.txt" &&
        kbench attention "${options[@]}" --shapes minions30x6 --baseline sorted \
            --json "$out/kbench.jsonl" | tee -a "$out/kbench.txt" || return 1
    [ "$device" = emu ] && return
    kbench matmul --variant gate_up,down --M 1..128/3 --mode cold --seconds 0.02 \
        --shapes llama-3.1-8b --json "$out/kbench.jsonl" | tee -a "$out/kbench.txt" &&
        kbench matmul --M 64,512 --seconds 0.05 --shapes llama-3.2-3b,qwen2.5-7b \
            --json "$out/kbench.jsonl" | tee -a "$out/kbench.txt"
}

t1() {
    [ "$device" = emu ] && { load t1 -m synthetic:tiny --jobs 1 --own 40 --out 4; return; }
    load t1 -m synthetic:llama-3.1-8b --own 128 --out 128 &&
        load t1 -m synthetic:llama-3.1-8b --own 2048 --out 128
}

t2() {
    local model=llama-3.1-8b options=(--seconds 0.5 --rows 1,16,64,256,1024,4096)
    options+=(--batches 1,16,64,256)
    [ "$device" = emu ] && model=tiny options=(--seconds 0 --rows 33 --batches 1,8 --context 64)
    "$folder/forward_bench" "synthetic:$model" --device "$device" --precision int8 --kv int8 \
        "${options[@]}" | tee -a "$out/loads.txt"
}

t3() {
    [ "$device" = emu ] && {
        load t3 -m synthetic:tiny --chunks 2 --jobs 3 --shared 40 --own 20 --out 3
        return
    }
    local sizes=(--chunks 256 --shared 800 --own 250 --out 100 --sequences 512 --step 4096)
    load t3 -m synthetic:llama-3.1-8b "${sizes[@]}" --jobs 3 --order chunk &&
        load t3 -m synthetic:llama-3.1-8b "${sizes[@]}" --jobs 3 --order task &&
        load t3 -m synthetic:llama-3.1-8b "${sizes[@]}" --jobs 8 --order task &&
        load t3 -m synthetic:llama-3.2-3b "${sizes[@]}" --jobs 16 --order task
}

t4() {
    local file=${COHORT_TEST_DATA:-../shared/data}/minions/workload.json
    [ -f "$file" ] || { echo "no $file: T4 is left out" && return 77; }
    [ "$device" = emu ] && { echo "T4 is more than an emulator gets through" && return 77; }
    load t4 -m synthetic:llama-3.1-8b --file "$file" --runs 1 --sequences 512 --step 4096
}

run() { # STEP COMMAND...
    local name=$1 start=$SECONDS code
    shift
    echo "== $name" | tee -a "$log"
    "$@" >>"$log" 2>&1
    code=$?
    case $code in
    0) say "passed   $((SECONDS - start)) s  $name" ;;
    77) say "left out $((SECONDS - start)) s  $name: $(tail -n 1 "$log")" ;;
    *)
        say "FAILED   $((SECONDS - start)) s  $name (exit $code), see check.log"
        tail -n 5 "$log"
        failures=$((failures + 1))
        ;;
    esac
}

failures=0
say "gpu_check $(date -u +%Y-%m-%dT%H:%M:%SZ), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
if has_gpu; then
    say "$(nvidia-smi -L | head -n 1)"
else
    say "no NVIDIA GPU is here (nvidia-smi lists none): nothing was measured on one"
    [ "$device" = emu ] || exit 77
fi
for step in "${steps[@]}"; do
    case $step in kbench) run kbench kbench_all ;; *) run "$step" "$step" ;; esac
done
say "$failures failed"
[ $failures -eq 0 ]
