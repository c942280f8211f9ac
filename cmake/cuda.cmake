# The CUDA backend is a module that is opened at run time, so that one program starts with or
# without CUDA. CUDA=auto builds it where nvcc is, `on` stops where it is not.
#
# cuDNN and cuBLASLt are opened by the module when it first needs them; their headers decide whether
# it can. CUDNN=auto builds it with cuDNN where its headers are, `on` stops where they are not.
#
# For the tests the same sources are also compiled as C++ and run on the CPU (see
# tests/cuda_emulation).
string(TOLOWER "${CUDA}" CUDA)
if(NOT CUDA MATCHES "^(auto|on|off)$")
  message(FATAL_ERROR "CUDA is '${CUDA}': use auto, on or off")
endif()
string(TOLOWER "${CUDNN}" CUDNN)
if(NOT CUDNN MATCHES "^(auto|on|off)$")
  message(FATAL_ERROR "CUDNN is '${CUDNN}': use auto, on or off")
endif()

file(GLOB cuda_kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cu)
file(GLOB cuda_host_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/*.cpp)
# The module has its own copy of what it uses of the library.
file(GLOB cuda_core_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/core/*.cpp)
list(APPEND cuda_core_sources ${PROJECT_SOURCE_DIR}/kernels/window.cpp)
# What stands for a library of NVIDIA's that a module is built without.
set(without_cudnn ${PROJECT_SOURCE_DIR}/kernels/cuda/cudnn/absent.cpp)
set(without_cublaslt ${PROJECT_SOURCE_DIR}/kernels/cuda/cublaslt/absent.cpp)

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

# What CUDA sources and those that call NVIDIA's libraries are compiled with; the libraries
# themselves are opened, not linked.
function(ratnet_cuda_options target)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/kernels/cuda/ptx
                                               ${CUDAToolkit_INCLUDE_DIRS})
  if(CUDNN_INCLUDE_DIR)
    target_include_directories(${target} SYSTEM PRIVATE ${CUDNN_INCLUDE_DIR})
  endif()
  # CMake 3.25 does not know nvcc's flag for C++20.
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20 --expt-relaxed-constexpr
      -Xcompiler=-Wall,-Wextra,-Wno-missing-field-initializers
      $<$<BOOL:${RATNET_WERROR}>:--Werror=all-warnings>>)
  target_link_libraries(${target} PRIVATE CUDA::cudart_static ${CMAKE_DL_LIBS})
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
if(CUDNN STREQUAL "on" AND NOT why_no_cuda STREQUAL "")
  message(FATAL_ERROR "CUDNN=on: the CUDA backend is not built (${why_no_cuda})")
endif()

set(why_no_cudnn "CUDNN=off")
if(NOT why_no_cuda STREQUAL "")
  message(STATUS "CUDA backend: not built (${why_no_cuda})")
  set(why_no_cudnn "the CUDA backend is not built: ${why_no_cuda}")
else()
  message(STATUS "CUDA backend: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, for ${CMAKE_CUDA_ARCHITECTURES}")
  find_package(CUDAToolkit REQUIRED)

  if(NOT CUDNN STREQUAL "off")
    find_path(CUDNN_INCLUDE_DIR cudnn_graph.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
    set(why_no_cudnn "")
    if(NOT CUDNN_INCLUDE_DIR)
      set(why_no_cudnn "no header cudnn_graph.h of cuDNN 9")
    endif()
  endif()
  if(why_no_cudnn STREQUAL "")
    message(STATUS "CUDA backend: with cuDNN (${CUDNN_INCLUDE_DIR})")
    file(GLOB cudnn_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/cudnn/*.cpp)
    list(REMOVE_ITEM cudnn_sources ${without_cudnn})
  else()
    if(CUDNN STREQUAL "on")
      message(FATAL_ERROR "CUDNN=on: ${why_no_cudnn}")
    endif()
    message(STATUS "CUDA backend: without cuDNN (${why_no_cudnn})")
    set(cudnn_sources ${without_cudnn})
  endif()
  find_path(CUBLASLT_INCLUDE_DIR cublasLt.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  if(CUBLASLT_INCLUDE_DIR)
    file(GLOB cublaslt_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/cuda/cublaslt/*.cpp)
    list(REMOVE_ITEM cublaslt_sources ${without_cublaslt})
  else()
    message(STATUS "CUDA backend: without cuBLASLt (no header cublasLt.h)")
    set(cublaslt_sources ${without_cublaslt})
  endif()

  add_library(ratnet_cuda MODULE ${cuda_kernels} ${cuda_host_sources} ${cuda_core_sources}
                                 ${cudnn_sources} ${cublaslt_sources})
  ratnet_module(ratnet_cuda)
  ratnet_cuda_options(ratnet_cuda)
  # Where the program and the library look, whatever the libraries' own folder is called.
  install(TARGETS ratnet_cuda LIBRARY DESTINATION lib/ratnet)
endif()
