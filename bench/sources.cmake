# room bench
add_executable(accuracy bench/accuracy.c)
target_link_libraries(accuracy PRIVATE warnings harness)
add_executable(matmul_bench bench/matmul_bench.c bench/int8_peak.c)
target_link_libraries(matmul_bench PRIVATE kernels warnings)
add_executable(forward_bench bench/forward_bench.c)
target_link_libraries(forward_bench PRIVATE warnings harness load)
room(load NEEDS engine kernels base SOURCES
  bench/op_times.c bench/load.c bench/load_make.c)
add_executable(workload bench/workload.c)
target_link_libraries(workload PRIVATE load warnings)
add_executable(attention_bench bench/attention_bench.c bench/f32_peak.c)
target_link_libraries(attention_bench PRIVATE kernels warnings)
