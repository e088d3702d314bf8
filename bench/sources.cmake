# room bench
add_executable(accuracy bench/accuracy.c)
target_link_libraries(accuracy PRIVATE warnings harness)
add_executable(forward_bench bench/forward_bench.c)
target_link_libraries(forward_bench PRIVATE warnings harness load)
room(load NEEDS engine kernels base SOURCES
  bench/op_times.c bench/int8_peak.c bench/f32_peak.c bench/peak_loop.c bench/load_roof.c
  bench/load.c bench/load_make.c)
add_executable(workload bench/workload.c)
target_link_libraries(workload PRIVATE load warnings)
add_executable(matmul_bench bench/matmul_bench.c)
target_link_libraries(matmul_bench PRIVATE load warnings)
add_executable(attention_bench bench/attention_bench.c)
target_link_libraries(attention_bench PRIVATE load warnings)

# The wrappers against their meaning and the emulator; no cmocka: for machines without packages.
if(COHORT_EMU)
  add_executable(wrapper_check bench/wrapper_check.c)
  target_compile_definitions(wrapper_check PRIVATE COHORT_EMU
    $<$<BOOL:${COHORT_CUDA}>:COHORT_CUDA>)
  target_link_libraries(wrapper_check PRIVATE kernels warnings)
  if(BUILD_TESTING)
    add_test(NAME bench/wrapper_check COMMAND wrapper_check emu)
    set_tests_properties(bench/wrapper_check PROPERTIES LABELS emu)
  endif()
endif()
add_executable(draft_bench bench/draft_bench.c)
target_link_libraries(draft_bench PRIVATE engine warnings)
if(BUILD_TESTING)
  add_test(NAME bench/draft_bench COMMAND draft_bench
    ${COHORT_CACHE}/models/SmolLM2-135M-Instruct.Q4_1.gguf /usr/share/common-licenses/GPL-3
    --jobs 4 --precision int8)
  set_tests_properties(bench/draft_bench PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 LABELS slow)
endif()

# Needs the harness that reads vocabularies, which tests/ defines.
add_executable(tokenizer_bench bench/tokenizer_bench.c)
target_link_libraries(tokenizer_bench PRIVATE vocab_file warnings)

if(BUILD_TESTING AND Python3_FOUND)
  add_test(NAME bench/plot COMMAND ${Python3_EXECUTABLE} bench/plot_test.py
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
endif()

# What a mask costs: masks over real schemas and a real vocabulary.
add_executable(mask_bench bench/mask_bench.c)
target_link_libraries(mask_bench PRIVATE vocab_file maskbench json_case warnings)
if(COHORT_TOOLS)
  add_executable(round_bench bench/round_bench.c)
  target_link_libraries(round_bench PRIVATE minions scripted_server scripted_worker warnings)
endif()
