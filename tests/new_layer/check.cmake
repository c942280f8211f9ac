# Builds TARGETS of what write.cmake has written and, given a DEVICE, "cpu" or an emulated one, runs
# the generic tests of the new layer there.
#   cmake -D WORK=... -D CXX=... -D OBJECTS=... -D TARGETS=... [-D DEVICE=...] -P check.cmake
# OBJECTS: a CMake script that names what the build has compiled. Without optimisation, and nothing
# that the page leaves as it is: that is what the other tests are for.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  message("${output}")
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGV}")
  endif()
endfunction()

function(configure)
  run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK}/build -G Ninja
      -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_BUILD_TYPE=None -D TREE=${WORK}/source
      -D OBJECTS=${OBJECTS} -D WRITTEN=${WORK}/written.cmake -D RATNET_WERROR=ON ${ARGV})
endfunction()
configure()
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build --target ${TARGETS}
                RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message("Once more, file by file: two of a folder may have used one name.")
  configure(-D APART=ON)
  run(${CMAKE_COMMAND} --build ${WORK}/build --target ${TARGETS})
endif()
if(DEVICE STREQUAL "cpu")
  run(${WORK}/build/test_new_layer)
elseif(DEVICE)
  run(${CMAKE_COMMAND} -E env RATNET_TEST_DEVICE=${DEVICE} ${WORK}/build/test_new_layer [device])
endif()
