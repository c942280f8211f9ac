# The CUDA backend is a module opened at run time. This version of ratnet has none: `on` says so
# instead of building something that cannot run.
if(NOT CUDA MATCHES "^(auto|on|off)$")
  message(FATAL_ERROR "CUDA is '${CUDA}': use auto, on or off")
elseif(CUDA STREQUAL "on")
  message(FATAL_ERROR "CUDA=on: this version of ratnet has no CUDA backend yet; use auto or off")
endif()
message(STATUS "CUDA backend: not part of this version, CPU only")
