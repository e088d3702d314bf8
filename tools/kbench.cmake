# room tools, the part that needs nothing past the engine: options, and the kernels' bench,
# which is also a program of its own where the cohort binary's libraries are not at hand
room(commands NEEDS base SOURCES tools/args.c tools/wrap.c tools/exit_code.c)
room(kbench NEEDS commands engine kernels base m SOURCES
  tools/kbench_args.c tools/kbench_stats.c tools/kbench_case.c tools/kbench_kernels.c
  tools/kbench_rows.c tools/kbench_products.c tools/kbench_attend.c tools/kbench_draw.c
  tools/kbench_head.c tools/kbench_launch.c tools/kbench_time.c tools/kbench_row.c
  tools/kbench_table.c tools/kbench_layer.c tools/kbench_measure.c
  tools/kbench.c)
if(COHORT_EMU)
  target_compile_definitions(kbench PRIVATE COHORT_EMU)
endif()
if(COHORT_CUDA AND TARGET CUDA::cublasLt AND EXISTS ${PROJECT_SOURCE_DIR}/kernels/matmul_bf16.cu)
  target_compile_definitions(kbench PRIVATE COHORT_CUBLASLT)
endif()
add_executable(cohort_kbench tools/kbench_main.c)
target_link_libraries(cohort_kbench PRIVATE kbench warnings)
if(BUILD_TESTING AND COHORT_EMU AND Python3_FOUND)
  if(NOT COHORT_SANITIZE) # with one, the kernels are not traced and there is nothing to count
    add_test(NAME tools/kbench_emulated
      COMMAND ${Python3_EXECUTABLE} tools/kbench_test.py $<TARGET_FILE:cohort_kbench>
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(tools/kbench_emulated PROPERTIES TIMEOUT 600 LABELS emu)
    add_test(NAME tools/gpu_check # runs stand-ins, no program of ours
      COMMAND ${Python3_EXECUTABLE} tools/gpu_check_test.py ${PROJECT_BINARY_DIR}
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(tools/gpu_check PROPERTIES TIMEOUT 300)
  endif()
endif()
