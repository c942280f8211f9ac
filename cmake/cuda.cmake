# The CUDA backend is a module that is opened at run time, so that one program starts with or
# without CUDA. CUDA=auto builds it where nvcc is, `on` stops where it is not.
#
# For the tests the same sources are also compiled as C++ and run on the CPU (see
# tests/cuda_emulation).
if(NOT CUDA MATCHES "^(auto|on|off)$")
  message(FATAL_ERROR "CUDA is '${CUDA}': use auto, on or off")
endif()

file(GLOB cuda_kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cu)
file(GLOB cuda_host_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cpp)
# The module has its own copy of what it uses of the library.
file(GLOB cuda_core_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/core/*.cpp)
list(APPEND cuda_core_sources ${PROJECT_SOURCE_DIR}/kernels/window.cpp)

# Nothing is seen of the module but its entry, and a kernel that is missing stops the link by name
# (Clang's sanitizers leave symbols open).
function(ratnet_module target)
  ratnet_target(${target})
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden
                        CUDA_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
                        LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  if(NOT RATNET_SANITIZE OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_link_options(${target} PRIVATE -Wl,--no-undefined)
  endif()
endfunction()

set(cuda_state "off")
if(NOT CUDA STREQUAL "off")
  include(CheckLanguage)
  # 80 to 100 as machine code, newer ones from the PTX of 120. Fewer build faster.
  if(NOT CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
    set(CMAKE_CUDA_ARCHITECTURES 80-real 86-real 89-real 90-real 100-real 120 CACHE STRING
        "GPUs to compile for")
  endif()
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.8)
      set(cuda_state "nvcc ${CMAKE_CUDA_COMPILER_VERSION} is too old, 12.8 or newer is needed")
    else()
      set(cuda_state "")
    endif()
  else()
    set(cuda_state "no nvcc")
  endif()
  if(cuda_state AND CUDA STREQUAL "on")
    message(FATAL_ERROR "CUDA=on: ${cuda_state}")
  endif()
endif()

if(cuda_state)
  message(STATUS "CUDA backend: not built (${cuda_state})")
else()
  message(STATUS "CUDA backend: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, for ${CMAKE_CUDA_ARCHITECTURES}")
  find_package(CUDAToolkit REQUIRED)
  add_library(ratnet_cuda MODULE ${cuda_kernels} ${cuda_host_sources} ${cuda_core_sources})
  ratnet_module(ratnet_cuda)
  target_include_directories(ratnet_cuda PRIVATE ${PROJECT_SOURCE_DIR}/kernels/cuda/ptx
                                                 ${CUDAToolkit_INCLUDE_DIRS})
  # CMake 3.25 does not know nvcc's flag for C++20.
  target_compile_options(ratnet_cuda PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20 --expt-relaxed-constexpr
      -Xcompiler=-Wall,-Wextra,-Wno-missing-field-initializers --Werror=all-warnings>)
  target_link_libraries(ratnet_cuda PRIVATE CUDA::cudart_static)
  install(TARGETS ratnet_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/ratnet)
endif()
