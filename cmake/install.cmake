# What an embedder gets: the library, the headers below, a package for find_package(ratnet), the
# program and the models that ship.
include(CMakePackageConfigHelpers)

# The public headers, a list and not the tree. They include only each other, and never kernels/ or
# a dependency's header; tests/install compiles each one alone.
set(ratnet_headers
    # What people include.
    apps/anomaly/autoencoders.h
    apps/anomaly/scoring.h
    apps/dark_slices/evaluation.h
    apps/dark_slices/ratnet.h
    apps/dark_slices/scoring.h
    apps/dark_slices/training.h
    apps/microbleeds/unet.h
    apps/motion/conv5_fc3.h
    apps/series/series_network.h
    core/device.h
    core/error.h
    core/tensor.h
    core/thread_pool.h
    core/version.h
    core/view.h
    imaging/augment_geometry.h
    imaging/augment_intensity.h
    imaging/nifti.h
    imaging/orientation.h
    imaging/resample.h
    imaging/volume.h
    layers/activations.h
    layers/concat.h
    layers/conv.h
    layers/conv_transpose.h
    layers/dense.h
    layers/gaussian_sample.h
    layers/normalise.h
    layers/pad.h
    layers/pointwise.h
    layers/pool.h
    layers/reduce.h
    layers/reshape.h
    layers/upsample.h
    network/graph.h
    network/model.h
    network/plan.h
    network/predictor.h
    network/sliding_window.h
    network/tuning.h
    network/weights.h
    train/class_probabilities.h
    train/dataset.h
    train/delong.h
    train/event_writer.h
    train/froc.h
    train/graph_training.h
    train/judge.h
    train/label_index.h
    train/mcnemar.h
    train/metrics.h
    train/mri_augmentation.h
    train/objective.h
    train/objective_shapes.h
    train/patch_sampler.h
    train/patches.h
    train/segmentation.h
    train/trainer.h
    train/whole_images.h
    # What those include.
    apps/dark_slices/baselines.h
    apps/dark_slices/brain_level.h
    apps/dark_slices/brain_region.h
    core/activation.h
    core/buffer.h
    core/dtype.h
    core/image_grid.h
    core/pointwise_step.h
    core/precision.h
    core/queue.h
    core/random.h
    core/reduction.h
    core/shape.h
    core/text.h
    core/tuner.h
    imaging/deformation.h
    layers/catalogue.h
    layers/input.h
    layers/layer.h
    layers/sliding.h
    network/parameters.h
    network/safetensors.h
    train/augment.h
    train/averaged_weights.h
    train/bootstrap.h
    train/calibration.h
    train/checkpoint.h
    train/classification.h
    train/components.h
    train/early_stopping.h
    train/image_hash.h
    train/lesions.h
    train/loader.h
    train/mask.h
    train/optimiser.h
    train/plateau.h
    train/roc.h
    train/schedule.h
    train/target_buffers.h
    train/whole_losses.h)
# Those whose functions are in ratnet::hdf5.
set(ratnet_hdf5_headers train/hdf5_dataset.h train/hdf5_write.h)
if(RATNET_PROGRAM)
  list(APPEND ratnet_headers ${ratnet_hdf5_headers})
endif()

# The build tree offers the same <ratnet/...> as the install tree, for add_subdirectory().
set(public_include ${PROJECT_BINARY_DIR}/include)
file(REMOVE_RECURSE ${public_include}/ratnet)
foreach(header ${ratnet_headers})
  if(NOT EXISTS ${PROJECT_SOURCE_DIR}/${header})
    message(FATAL_ERROR "cmake/install.cmake lists ${header}, which does not exist")
  endif()
  cmake_path(GET header PARENT_PATH folder)
  file(MAKE_DIRECTORY ${public_include}/ratnet/${folder})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${header} ${public_include}/ratnet/${header} SYMBOLIC)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ratnet/${folder})
endforeach()
target_include_directories(ratnet INTERFACE $<BUILD_INTERFACE:${public_include}>
                                            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

# A static library leaves its own dependencies to whoever links it: the package finds them under
# these names. A shared one has them inside.
target_link_libraries(ratnet PRIVATE $<INSTALL_INTERFACE:ratnet::highway>)
set(library_version VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} INSTALL_RPATH "$ORIGIN")
set_target_properties(ratnet PROPERTIES ${library_version})
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/ratnet)
install(TARGETS ratnet EXPORT ratnet-targets)
install(EXPORT ratnet-targets NAMESPACE ratnet:: DESTINATION ${package_folder})

if(RATNET_PROGRAM)
  target_link_libraries(ratnet_hdf5 PRIVATE $<INSTALL_INTERFACE:ratnet::hdf5_c>
                                            $<INSTALL_INTERFACE:ratnet::deflate>)
  set_target_properties(ratnet_hdf5 PROPERTIES ${library_version})
  install(TARGETS ratnet_hdf5 EXPORT ratnet-hdf5-targets)
  install(EXPORT ratnet-hdf5-targets NAMESPACE ratnet:: DESTINATION ${package_folder})

  file(RELATIVE_PATH bin_to_lib /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
  set_target_properties(ratnet_program PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")
  install(TARGETS ratnet_program)
endif()

get_target_property(ratnet_type ratnet TYPE)
string(COMPARE EQUAL ${ratnet_type} STATIC_LIBRARY ratnet_static)
configure_package_config_file(
  cmake/ratnet-config.cmake.in ${PROJECT_BINARY_DIR}/ratnet-config.cmake
  INSTALL_DESTINATION ${package_folder} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ratnet-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ratnet-config.cmake
              ${PROJECT_BINARY_DIR}/ratnet-config-version.cmake DESTINATION ${package_folder})

# The program finds its default model at ../share/ratnet/models.
file(GLOB models CONFIGURE_DEPENDS models/*.safetensors models/*.md)
install(FILES ${models} DESTINATION ${CMAKE_INSTALL_DATADIR}/ratnet/models)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
