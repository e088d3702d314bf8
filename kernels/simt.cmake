# The kernels for GPUs: one source per op, compiled by g++ against the emulator of tests/emu
# (COHORT_EMU) and by nvcc (COHORT_CUDA, preset cuda).
set(simt_ops)
foreach(op embed kv_copy rmsnorm rope silu_mul gather matmul gemm_int8 matmul_stored
    attention sample peak wrapper_check)
  if(EXISTS ${PROJECT_SOURCE_DIR}/kernels/${op}.cu)
    list(APPEND simt_ops ${op})
  endif()
endforeach()

set(emu_default ON)
if(COHORT_SANITIZE MATCHES "thread") # the emulator is a thread sanitizer of its own
  set(emu_default OFF)
endif()
option(COHORT_EMU "The kernels' own source on the emulator of tests/emu" ${emu_default})

if(COHORT_EMU)
  include(tests/emu/sources.cmake)
  # A source file has one language per folder: the emulator's copy is a line that includes it.
  set(emu_units)
  foreach(op IN LISTS simt_ops)
    set(unit ${PROJECT_BINARY_DIR}/simt/${op}_emu.cc)
    file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"kernels/${op}.cu\"\n")
    list(APPEND emu_units ${unit})
  endforeach()
  # g++ does not know `unroll`, and takes twice as long to name the variables of what it unrolled.
  # At -O2 it takes half as long again, and an emulated engine as long.
  set(emu_options "-Wno-unknown-pragmas;-g1")
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND COHORT_OPTIMIZE MATCHES "-O2")
    list(APPEND emu_options -O1)
  endif()
  if(NOT COHORT_SANITIZE MATCHES "address")
    # The compiler reports every access; tests/emu listens. Entry and exit are of no use to it.
    list(APPEND emu_options -fsanitize=thread)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      list(APPEND emu_options --param=tsan-instrument-func-entry-exit=0)
    endif()
  endif()
  set_source_files_properties(${emu_units} PROPERTIES
    COMPILE_OPTIONS "${emu_options};${checks_but_pointers};${checks_by_calls}")
  add_library(emu STATIC ${emu_sources} ${emu_units} kernels/ops_emu.c)
  target_compile_definitions(emu PRIVATE SIMT_EMU)
  target_link_libraries(emu PRIVATE warnings PUBLIC kernels)
  target_compile_definitions(kernels PRIVATE COHORT_EMU)
  target_link_libraries(kernels PUBLIC emu) # each needs the other: static libraries may
endif()

if(COHORT_CUDA)
  set(cuda_sources kernels/device_cuda.cu)
  foreach(op IN LISTS simt_ops)
    list(APPEND cuda_sources kernels/${op}.cu)
  endforeach()
  add_library(kernels_cuda STATIC ${cuda_sources})
  target_include_directories(kernels_cuda PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(kernels_cuda PRIVATE ${cuda_flags})
  if(TARGET CUDA::cublasLt AND EXISTS ${PROJECT_SOURCE_DIR}/kernels/matmul_bf16.cu)
    target_sources(kernels_cuda PRIVATE kernels/matmul_bf16.cu)
    target_compile_definitions(kernels_cuda PRIVATE COHORT_CUBLASLT)
    target_link_libraries(kernels_cuda PUBLIC CUDA::cublasLt)
    target_sources(kernels_cuda PRIVATE kernels/cublaslt_int8.cu) # kbench's comparator
  else()
    message(STATUS "COHORT_CUDA: without cuBLASLt: weights in bf16 are refused")
  endif()
  if(TARGET CUDA::cublasLt)
    target_compile_definitions(kernels PRIVATE COHORT_CUBLASLT)
  endif()
  target_sources(kernels PRIVATE kernels/ops_cuda.c)
  target_compile_definitions(kernels PRIVATE COHORT_CUDA)
  target_link_libraries(kernels_cuda PUBLIC kernels)
  target_link_libraries(kernels PUBLIC kernels_cuda)
endif()

# simt_test(op): kernels/<op>_simt_test.c against the twin, emulated; on a GPU where there is one.
function(simt_test op)
  set(test kernels/${op}_simt_test.c)
  if(NOT BUILD_TESTING OR NOT COHORT_EMU OR NOT EXISTS ${PROJECT_SOURCE_DIR}/${test})
    return()
  endif()
  room_test(${test} kernels simt_case)
  set_tests_properties(kernels/${op}_simt PROPERTIES LABELS emu)
  if(COHORT_CUDA)
    add_test(NAME kernels/${op}_cuda COMMAND kernels_${op}_simt_test cuda
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(kernels/${op}_cuda PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 LABELS gpu)
  endif()
endfunction()

add_library(simt_case STATIC tests/harness/simt_case.c tests/harness/simt_activation.c)
target_link_libraries(simt_case PRIVATE warnings PUBLIC kernels cmocka)
target_compile_definitions(simt_case PUBLIC $<$<BOOL:${COHORT_CUDA}>:COHORT_CUDA>)
foreach(op IN LISTS simt_ops)
  simt_test(${op})
endforeach()
