// The columns and attributes of an HDF5 file of slices, joined over its parts.
#pragma once

#include <cstdint>

#include "hdf5_contents.h"
#include "hdf5_schema.h"

namespace ratnet::inline v1 {

// Fills contents.table, whose layout is known; what was assumed is added to the notes. file_bytes
// bounds the text that is read. Throws Error (input) for columns that do not follow the schema.
void read_hdf5_table(std::int64_t file, const Hdf5Schema& schema, std::uint64_t file_bytes,
                     Hdf5Contents& contents);

// Fills contents.description.attributes, once the table is known. Errors as above.
void read_hdf5_attributes(std::int64_t file, const Hdf5Schema& schema, Hdf5Contents& contents);

}  // namespace ratnet::inline v1
