# the emulator that the kernels run on (kernels/simt.cmake builds it)
set(emu_sources
  tests/emu/emu_fiber.cc tests/emu/emu_block.cc tests/emu/emu_warp.cc tests/emu/emu_copy.cc
  tests/emu/emu_number.cc tests/emu/emu_memory.cc tests/emu/emu_shared.cc tests/emu/emu_global.cc tests/emu/emu_trace.cc
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
emu_test(emu_fetch)

# faults_test(name script arguments...): faults planted in kernels; wants the tests' programs.
function(faults_test name script)
  if(NOT BUILD_TESTING OR NOT Python3_FOUND)
    return()
  endif()
  add_test(NAME emu-faults/${name}
    COMMAND ${Python3_EXECUTABLE} ${script} ${PROJECT_BINARY_DIR} ${ARGN}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(emu-faults/${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 900
    LABELS emu-faults)
endfunction()
faults_test(itself tests/emu/faults_test.py)
# Twenty faults take half a minute at most: an op that has more is run in parts, side by side.
foreach(op IN LISTS simt_ops)
  set(file ${PROJECT_SOURCE_DIR}/tests/emu/faults/${op}.faults)
  if(NOT EXISTS ${file})
    continue()
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} faults REGEX "finds \"")
  list(LENGTH faults count)
  math(EXPR parts "(${count} + 19) / 20")
  if(parts EQUAL 1)
    faults_test(${op} tests/emu/faults.py ${op})
  else()
    foreach(part RANGE 1 ${parts})
      faults_test(${op}-${part} tests/emu/faults.py ${op} --shard ${part}/${parts})
    endforeach()
  endif()
endforeach()

# Many seeds of every schedule on kernels as they are: by hand, `ctest -L emu-seeds`.
set(emu_seeds 20)
foreach(op IN LISTS simt_ops)
  if(BUILD_TESTING AND EXISTS ${PROJECT_SOURCE_DIR}/kernels/${op}_simt_test.c)
    add_test(NAME emu-seeds/${op}
      COMMAND kernels_${op}_simt_test emu ${emu_seeds}
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(emu-seeds/${op} PROPERTIES TIMEOUT 7200 LABELS "slow;emu-seeds")
  endif()
endforeach()
