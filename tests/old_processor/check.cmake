# The program on an emulated processor without AVX gives what it gives here.
#   cmake -D PROGRAM=... -D MODEL=... -D QEMU=... -D WORK=... -P check.cmake
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGV}\n${status}\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
set(slices ${WORK}/slices.h5)
run(${PROGRAM} simulate dark-slices --animals 1 --seed 1 -o ${slices})
run(${PROGRAM} predict ${MODEL} ${slices} -o ${WORK}/here)
run(${QEMU} -cpu Nehalem ${PROGRAM} predict ${MODEL} ${slices} -o ${WORK}/old)
# Probabilities are written with four digits, of which the last may differ.
foreach(place here old)
  file(STRINGS ${WORK}/${place}/slices_desc-darkslices_slices.tsv ${place})
  list(TRANSFORM ${place} REPLACE "(0\\.[0-9][0-9][0-9])[0-9]*" "\\1")
endforeach()
if(NOT here STREQUAL old)
  message(FATAL_ERROR "the tables differ: ${WORK}/here, ${WORK}/old")
endif()
