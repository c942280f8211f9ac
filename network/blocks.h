// Rows of layers that several networks are made of.
#pragma once

#include <string>

#include "graph.h"

namespace ratnet::inline v1 {

// A convolution without bias, for which the shift of the batch normalisation after it stands, and
// ReLU: nodes PLACE/convNUMBER, PLACE/normNUMBER and PLACE/reluNUMBER. The last one's handle.
GraphBuilder::Handle add_conv_norm_relu(GraphBuilder& builder, const std::string& place,
                                        const std::string& number, layers::Conv conv,
                                        GraphBuilder::Handle input);

// Throws Error (usage), beginning with `who`, unless there are 1 to 16 widths.
void check_widths(const char* who, const Sizes& widths);

// Throws Error (usage), beginning with `who`, unless the size can be halved so often.
void check_halvings(const char* who, std::int64_t size, std::size_t times);

}  // namespace ratnet::inline v1
