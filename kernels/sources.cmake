# room kernels: one line per file, by name
set(kernels_simd)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(kernels_simd kernels/activation_avx2.c kernels/activation_avx512.c kernels/matmul_f32_avx2.c
    kernels/weight_dequant_avx2.c
    kernels/matmul_int8_avx2.c kernels/matmul_int8_narrow_avx2.c
    kernels/matmul_int8_avx512.c kernels/matmul_int8_amx.c kernels/attention_tile_avx2.c
    kernels/attention_tile_avx512.c kernels/attention_int8_avx2.c kernels/attention_int8_tile_avx2.c
    kernels/attention_softmax_avx2.c
    kernels/attention_int8_avx512.c kernels/attention_softmax_avx512.c)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(kernels_simd kernels/matmul_f32_neon.c kernels/matmul_int8_neon.c
    kernels/matmul_int8_dotprod.c kernels/matmul_int8_i8mm.c kernels/attention_tile_neon.c
    kernels/attention_int8_neon.c kernels/attention_int8_dotprod.c kernels/attention_int8_i8mm.c)
endif()
room(kernels NEEDS base m SOURCES
  kernels/device.c kernels/device_host.c kernels/device_simd.c kernels/device_pages.c
  kernels/weight.c kernels/weight_row.c kernels/weight_simt.c kernels/weight_bf16.c
  kernels/weight_dequant.c kernels/weight_quantize.c kernels/activation.c
  kernels/matmul_int8.c kernels/matmul_f32.c kernels/matmul_ref.c kernels/matmul_cpu.c
  kernels/gemm_int8.c
  ${kernels_simd}
  kernels/peak.c kernels/peak_host.c kernels/peak_measure.c kernels/wrapper_check.c
  kernels/kv_layout.c kernels/kv_copy_cpu.c
  kernels/ops.c kernels/ops_cpu.c kernels/ops_ref.c
  kernels/embed_cpu.c kernels/embed_ref.c kernels/rmsnorm_cpu.c kernels/rmsnorm_ref.c
  kernels/gather_ref.c
  kernels/rope_cpu.c kernels/rope_ref.c kernels/silu_mul_cpu.c kernels/silu_mul_ref.c
  kernels/attention_ref.c kernels/attention_cpu.c kernels/attention_tile.c
  kernels/attention_int8.c kernels/attention_levels.c kernels/attention_tiles.c
  kernels/sample_ref.c kernels/sample_cpu.c)
room_test(kernels/exp_test.c kernels) # a header alone
room_test(kernels/log_test.c kernels) # a header alone
room_test(kernels/float_levels_test.c kernels) # several files against each other
room_test(kernels/sample_typical_test.c kernels) # both of the host's against the definition

target_compile_options(kernels PRIVATE ${checks_but_pointers})
# -O2 unrolls, so that sums are in registers, where no access is checked: half the time of -O1 for
# all that has a model.
if(COHORT_SANITIZE)
  target_compile_options(kernels PRIVATE -O2)
endif()

# Loops over a block, of constant length: -O3 unrolls and vectorises them. Where every
# access is checked that takes the compiler two to three times as long, for little.
set(kernels_loops -O3)
if(COHORT_SANITIZE)
  set(kernels_loops)
endif()
set_source_files_properties(kernels/activation.c kernels/weight.c
  PROPERTIES COMPILE_OPTIONS "${kernels_loops}")
# But not where sanitized tests spend their time (models in exact precision, the twin of
# sampling): they would take three times as long.
set(kernels_hot -O3)
set_source_files_properties(kernels/weight_dequant.c kernels/sample_ref.c
  PROPERTIES COMPILE_OPTIONS "${kernels_hot}")
set_source_files_properties(kernels/weight_dequant_avx2.c
  PROPERTIES COMPILE_OPTIONS "-mavx2;-mf16c;${kernels_loops}")
set_source_files_properties(kernels/matmul_f32_avx2.c
  PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;${kernels_hot}")

# Each SIMD level in files of its own, chosen at run time; -O3 unrolls their constant loops.
set_source_files_properties(kernels/activation_avx2.c kernels/matmul_int8_avx2.c
  kernels/matmul_int8_narrow_avx2.c
  kernels/attention_int8_avx2.c kernels/attention_int8_tile_avx2.c
  kernels/attention_softmax_avx2.c PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;${kernels_loops}")
set(kernels_avx512 -mavx512f -mavx512bw -mavx512vl -mavx512vnni ${kernels_loops})
set_source_files_properties(kernels/activation_avx512.c kernels/matmul_int8_avx512.c
  kernels/attention_softmax_avx512.c PROPERTIES COMPILE_OPTIONS "${kernels_avx512}")
set_source_files_properties(kernels/attention_int8_avx512.c
  PROPERTIES COMPILE_OPTIONS "${kernels_avx512};${checks_by_calls}")
set_source_files_properties(kernels/matmul_int8_amx.c
  PROPERTIES COMPILE_OPTIONS "-mamx-tile;-mamx-int8;${kernels_loops}")
set_source_files_properties(kernels/matmul_f32_neon.c kernels/matmul_int8_neon.c
  kernels/attention_tile_neon.c
  PROPERTIES COMPILE_OPTIONS "${kernels_loops}")
set_source_files_properties(kernels/matmul_int8_dotprod.c
  PROPERTIES COMPILE_OPTIONS "-march=armv8.2-a+dotprod;${kernels_loops}")
set_source_files_properties(kernels/matmul_int8_i8mm.c
  PROPERTIES COMPILE_OPTIONS "-march=armv8.2-a+i8mm;${kernels_loops}")
# Their tiles fill the registers: gcc 12 would load so much of b ahead that sums go to memory.
set(kernels_in_order $<$<C_COMPILER_ID:GNU>:-fno-schedule-insns>)
set_source_files_properties(kernels/attention_int8_neon.c
  PROPERTIES COMPILE_OPTIONS "${kernels_loops};${kernels_in_order}")
set_source_files_properties(kernels/attention_int8_dotprod.c
  PROPERTIES COMPILE_OPTIONS "-march=armv8.2-a+dotprod;${kernels_loops};${kernels_in_order}")
set_source_files_properties(kernels/attention_int8_i8mm.c
  PROPERTIES COMPILE_OPTIONS "-march=armv8.2-a+i8mm;${kernels_loops};${kernels_in_order}")
set_source_files_properties(kernels/attention_tile_avx2.c
  PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mf16c;${kernels_loops}")
set_source_files_properties(kernels/attention_cpu.c kernels/attention_tile.c
  kernels/kv_layout.c kernels/rmsnorm_cpu.c kernels/rope_cpu.c kernels/silu_mul_cpu.c
  kernels/sample_cpu.c
  PROPERTIES COMPILE_OPTIONS "${kernels_loops}")
set_source_files_properties(kernels/attention_tile_avx512.c
  PROPERTIES COMPILE_OPTIONS "-mavx512f;${kernels_loops};${checks_by_calls}")
# Dozens of copies of portable loops: with -O2, or the names of all variables (-g), a minute of
# compiling; of the int8 loops -O0 takes longer still.
set_source_files_properties(kernels/attention_tile_avx512_test.c kernels/attention_int8_test.c
  PROPERTIES COMPILE_OPTIONS "-O1;-g1")
set_source_files_properties(kernels/matmul_int8_avx512_test.c PROPERTIES COMPILE_OPTIONS "-O0")
