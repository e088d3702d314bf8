# the emulator that the kernels run on (kernels/simt.cmake builds it)
set(emu_sources
  tests/emu/emu_fiber.cc tests/emu/emu_block.cc tests/emu/emu_warp.cc tests/emu/emu_copy.cc
  tests/emu/emu_memory.cc tests/emu/emu_shared.cc tests/emu/emu_global.cc tests/emu/emu_trace.cc
  tests/emu/emu_request.cc tests/emu/emu_report.cc tests/emu/emu_launch.cc
  tests/emu/device_emu.cc)
# One mma is a few thousand operations in loops of constant length.
set_source_files_properties(tests/emu/emu_warp.cc PROPERTIES COMPILE_OPTIONS "-O3")

# emu_test(noun): tests/emu/<noun>_test.cc, kernels and host in one file.
function(emu_test noun)
  if(NOT BUILD_TESTING)
    return()
  endif()
  set(exe tests_emu_${noun}_test)
  add_executable(${exe} tests/emu/${noun}_test.cc)
  target_compile_definitions(${exe} PRIVATE SIMT_EMU)
  if(NOT COHORT_SANITIZE MATCHES "address")
    target_compile_options(${exe} PRIVATE -fsanitize=thread)
  endif()
  target_link_libraries(${exe} PRIVATE kernels warnings cmocka)
  add_test(NAME tests/emu/${noun} COMMAND ${exe} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(tests/emu/${noun} PROPERTIES TIMEOUT 600 LABELS emu)
endfunction()
emu_test(emu_warp)
emu_test(emu_finding)
emu_test(emu_request)
emu_test(emu_report)
