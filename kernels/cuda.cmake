# The compiler of the CUDA back end (preset cuda). Before any target: each remembers the
# architectures it was made under.
option(COHORT_CUDA "The CUDA back end; needs nvcc" OFF)
# No fused multiply-add: the kernels give the CPU's bits. A register spill stops the build.
set(cuda_flags -fmad=false -lineinfo -Werror=all-warnings
  -Xcompiler=-Wall,-Wextra,-Wconversion,-Wshadow,-ffp-contract=off -Xptxas=-warn-spills,-Werror)
if(COHORT_CUDA)
  # Found through CUDACXX, PATH, then where the toolkit puts itself.
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    find_program(nvcc nvcc PATHS /usr/local/cuda/bin)
    if(nvcc)
      set(CMAKE_CUDA_COMPILER ${nvcc})
    endif()
  endif()
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES "89-real;90-real;90-virtual")
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    message(FATAL_ERROR "COHORT_CUDA: no nvcc was found; name it in the environment as CUDACXX")
  endif()
  enable_language(CUDA)
  find_package(CUDAToolkit REQUIRED)
  set(CMAKE_CUDA_STANDARD 17)
  set(CMAKE_CUDA_FLAGS_RELEASE "-O3")
endif()
