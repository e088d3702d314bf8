# room bench
add_executable(accuracy bench/accuracy.c)
target_link_libraries(accuracy PRIVATE warnings harness)
add_executable(matmul_bench bench/matmul_bench.c bench/int8_peak.c)
target_link_libraries(matmul_bench PRIVATE kernels warnings)
add_executable(forward_bench bench/forward_bench.c)
target_link_libraries(forward_bench PRIVATE warnings harness)
add_executable(t3 bench/t3.c)
target_link_libraries(t3 PRIVATE engine warnings)
