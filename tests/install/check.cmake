# Installs a build, moves it elsewhere, and builds and runs a small consumer against it.
#   cmake -D BUILD=... -D SOURCE=... -D WORK=... -D CXX=... -P check.cmake
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGV}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/installed)
# A package that works only where it was installed first would fail from here on.
file(RENAME ${WORK}/installed ${WORK}/moved)
file(GLOB_RECURSE package ${WORK}/moved/*.cmake)
if(NOT package)
  message(FATAL_ERROR "no CMake package was installed")
endif()
foreach(file ${package})
  file(STRINGS ${file} lines)
  foreach(folder ${BUILD} ${SOURCE} ${WORK})
    string(FIND "${lines}" ${folder} where)
    if(NOT where EQUAL -1)
      message(FATAL_ERROR "${file} names ${folder}: the package cannot be moved")
    endif()
  endforeach()
endforeach()
if(EXISTS ${WORK}/moved/include/ratnet/kernels)
  message(FATAL_ERROR "headers of kernels/ were installed")
endif()

run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK}/build -G Ninja
    -D CMAKE_CXX_COMPILER=${CXX} -D CMAKE_BUILD_TYPE=Release
    -D CMAKE_PREFIX_PATH=${WORK}/moved -D RATNET_HEADERS=${WORK}/moved/include
    -D RATNET_SOURCE=${SOURCE})
message(${output})
run(${CMAKE_COMMAND} --build ${WORK}/build)
set(program ${WORK}/moved/bin/ratnet)
set(scored "")
if(EXISTS ${program})
  run(${program} --help)
  # A model that has hardly learnt anything, and what the program says of a scan.
  run(${program} simulate anomaly --subjects 4 --slices 12 --contrast flair --seed 3
      -o ${WORK}/heads.h5 --nifti ${WORK}/heads)
  run(${program} train anomaly ${WORK}/heads.h5 -o ${WORK}/healthy.safetensors --epochs 1)
  set(scan ${WORK}/heads/sub-head001/anat/sub-head001_FLAIR)
  run(${program} score ${WORK}/healthy.safetensors ${scan}.nii.gz -o ${WORK}/scores --no-pages)
  set(scored ${WORK}/healthy.safetensors ${scan}.nii.gz ${WORK}/scores)
endif()
run(${WORK}/build/consumer ${WORK} ${WORK}/moved/share/ratnet/models/ratnet.safetensors ${scored})
message(${output})
