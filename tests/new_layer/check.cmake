# Follows docs/new-layer.md: writes its files and its lines into a copy of the sources, builds what
# they change and runs the generic tests of the new layer, on the CPU and on the emulated device.
#   cmake -D SOURCE=... -D WORK=... -D CXX=... -D OBJECTS=... [-D EMULATED=ON] -P check.cmake
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

# Takes the first line off `text`.
macro(next_line text line)
  string(FIND "${${text}}" "\n" end)
  string(SUBSTRING "${${text}}" 0 ${end} ${line})
  math(EXPR end "${end} + 1")
  string(SUBSTRING "${${text}}" ${end} -1 ${text})
endmacro()

# Puts the lines of a diff that begin with + behind the line before them.
function(edit file diff)
  file(READ ${file} content)
  set(behind "")
  while(NOT diff STREQUAL "")
    next_line(diff line)
    string(SUBSTRING "${line}" 0 1 sign)
    string(SUBSTRING "${line}" 1 -1 line)
    if(sign STREQUAL "+")
      string(REPLACE "${behind}" "${behind}${line}\n" content "${content}")
      set(behind "${behind}${line}\n")
    else()
      set(behind "\n${line}\n")
      string(FIND "${content}" "${behind}" first)
      string(FIND "${content}" "${behind}" last REVERSE)
      if(first EQUAL -1 OR NOT first EQUAL last)
        message(FATAL_ERROR "docs/new-layer.md: '${line}' is not one line of ${file}")
      endif()
    endif()
  endwhile()
  file(WRITE ${file} "${content}")
endfunction()

file(REMOVE_RECURSE ${WORK}/source ${WORK}/build)
foreach(room core kernels layers network tests/kernels tests/layers tests/network
             tests/cuda_emulation cmake)
  get_filename_component(parent ${WORK}/source/${room} DIRECTORY)
  file(COPY ${SOURCE}/${room} DESTINATION ${parent})
endforeach()
file(COPY ${SOURCE}/tests/catch.h DESTINATION ${WORK}/source/tests)

# A line that ends in a file's name begins a place; a block of code belongs to the last one.
file(READ ${SOURCE}/docs/new-layer.md page)
set(place "")
set(written "")
while(NOT page STREQUAL "")
  next_line(page line)
  if(line MATCHES "^(In )?`([a-z_/]+[.][a-z]+)`[:,]")
    set(place ${CMAKE_MATCH_2})
  elseif(line MATCHES "^```(cpp|diff)$")
    set(language ${CMAKE_MATCH_1})
    string(FIND "${page}" "\n```\n" end)
    math(EXPR end "${end} + 1")
    string(SUBSTRING "${page}" 0 ${end} block)
    string(SUBSTRING "${page}" ${end} -1 page)
    next_line(page line)
    if(place STREQUAL "")
      message(FATAL_ERROR "docs/new-layer.md: a block of code does not say which file it is of")
    elseif(language STREQUAL "diff")
      edit(${WORK}/source/${place} "${block}")
    elseif(EXISTS ${WORK}/source/${place})
      message(FATAL_ERROR "docs/new-layer.md: there is a file ${place} already")
    else()
      file(WRITE ${WORK}/source/${place} "${block}")
      list(APPEND written ${place})
    endif()
    set(place "")
  endif()
endwhile()

file(WRITE ${WORK}/written.cmake "set(written ${written})\n")
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK}/build -G Ninja
    -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_BUILD_TYPE=None -D TREE=${WORK}/source
    -D OBJECTS=${OBJECTS} -D WRITTEN=${WORK}/written.cmake -D RATNET_WERROR=ON)
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/test_new_layer)
if(EMULATED)
  run(${CMAKE_COMMAND} -E env RATNET_TEST_DEVICE=cuda_emulated:1
      ${WORK}/build/test_new_layer [device])
endif()
