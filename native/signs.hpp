// Which integer sums of a layer give a negative output: where the next layer takes nothing but signs, its input is
// compared with two integers instead of computed.
//
// An output is curve(float(sum) * s + bias). Each of these steps, with its rounding, either keeps the order of numbers
// or turns it around, for all of them alike, and relu and prelu make a number negative only if it was. So the sums with
// a negative output lie next to each other, at one end of all that there can be. (An output that is no number is not
// negative; where infinities make such ones, they leave those sums together.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tiles.hpp"

namespace farthing {

// For each output the first and the last sum that makes it negative; first > last where none does.
struct NegativeSums {
    std::vector<std::int32_t> first, last;
};

// Of sums in [-largest, largest]; `num_padded` outputs, of which those that do not exist are never negative. Throws
// std::bad_alloc.
NegativeSums negative_sums(const TiledWeight& weight, std::size_t num_padded, std::int32_t largest);

}  // namespace farthing
