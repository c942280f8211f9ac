# Every library we stand on, with the reason. The Debian package names are in scripts/setup.
set(CMAKE_FIND_PACKAGE_PREFER_CONFIG ON)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# Matrix products of the plain paths, in float and double.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
# Vector code with the instruction set chosen at run time.
pkg_check_modules(hwy REQUIRED IMPORTED_TARGET libhwy)
# Model headers, reports, logs.
find_package(nlohmann_json 3.11 REQUIRED)
# Gzipped NIfTI.
find_package(ZLIB REQUIRED)

set(ratnet_private_dependencies
    $<BUILD_INTERFACE:Eigen3::Eigen> $<BUILD_INTERFACE:PkgConfig::hwy>
    $<BUILD_INTERFACE:nlohmann_json::nlohmann_json> ZLIB::ZLIB)

if(RATNET_PROGRAM)
  # Datasets. By pkg-config: CMake's own module needs the C language switched on.
  pkg_check_modules(hdf5 REQUIRED IMPORTED_TARGET hdf5)
  # Their gzip chunks, nearly twice as fast as by zlib. By pkg-config: Debian 12 has no CMake files.
  pkg_check_modules(libdeflate REQUIRED IMPORTED_TARGET libdeflate)
  # The command line.
  find_package(CLI11 REQUIRED)
  # Pictures with text.
  pkg_check_modules(cairo REQUIRED IMPORTED_TARGET cairo)
  set(ratnet_program_dependencies CLI11::CLI11 PkgConfig::cairo)
endif()

if(RATNET_TESTS)
  find_package(Catch2 REQUIRED)  # version 2 and version 3 both serve
endif()
if(RATNET_BENCH)
  find_package(benchmark REQUIRED)
endif()
