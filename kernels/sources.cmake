# room kernels: one line per file, by name
room(kernels NEEDS base m SOURCES
  kernels/device.c kernels/weight.c kernels/activation.c kernels/kv_layout.c)
