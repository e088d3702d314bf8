# the emulator that the kernels run on (kernels/simt.cmake builds it)
set(emu_sources
  tests/emu/emu_fiber.cc tests/emu/emu_block.cc tests/emu/emu_warp.cc tests/emu/emu_copy.cc
  tests/emu/emu_memory.cc tests/emu/emu_shared.cc tests/emu/emu_global.cc tests/emu/emu_trace.cc
  tests/emu/emu_request.cc tests/emu/emu_report.cc tests/emu/emu_launch.cc
  tests/emu/device_emu.cc)
# One mma is a few thousand operations in loops of constant length.
set_source_files_properties(tests/emu/emu_warp.cc PROPERTIES COMPILE_OPTIONS "-O3")
