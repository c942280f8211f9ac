# The CUDA backend is a module that is opened at run time, so that one program starts with or
# without CUDA. CUDA=auto builds it where nvcc is, `on` stops where it is not.
#
# For the tests the same sources are also compiled as C++ and run on the CPU (see
# tests/cuda_emulation).
string(TOLOWER "${CUDA}" CUDA)
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

set(why_no_cuda "CUDA=off")
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
      set(why_no_cuda "nvcc ${CMAKE_CUDA_COMPILER_VERSION} is too old, 12.8 or newer is needed")
    else()
      set(why_no_cuda "")
    endif()
  else()
    set(why_no_cuda "no nvcc that works")
  endif()
  if(CUDA STREQUAL "on" AND NOT why_no_cuda STREQUAL "")
    message(FATAL_ERROR "CUDA=on: ${why_no_cuda}")
  endif()
endif()

if(NOT why_no_cuda STREQUAL "")
  message(STATUS "CUDA backend: not built (${why_no_cuda})")
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
      -Xcompiler=-Wall,-Wextra,-Wno-missing-field-initializers
      $<$<BOOL:${RATNET_WERROR}>:--Werror=all-warnings>>)
  target_link_libraries(ratnet_cuda PRIVATE CUDA::cudart_static)
  # Where the program and the library look, whatever the libraries' own folder is called.
  install(TARGETS ratnet_cuda LIBRARY DESTINATION lib/ratnet)
endif()
