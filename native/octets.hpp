// Which inputs of a tile of 8-bit codes can have their products summed in 16 bits, for tiers whose instructions add pairs
// of products in 16 bits.
//
// The inputs of a row are taken eight at a time. Of these, each output has two sums of four products: of inputs 0, 1, 4,
// 5 and of 2, 3, 6, 7. For rows without negative integers (at most 127) and levels u - 128 both stay in 16 bits, whatever
// the rows are, if the levels above zero and those below zero each add up to at most 258 (127 * 258 = 32766). Eight
// inputs for which this holds, for all outputs of the tile, are narrow. Nine tenths are where training left the weights
// (in the page detector, and where they are normally distributed), since large levels are rare; of codes drawn at random
// nearly none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tiles.hpp"

namespace farthing {

// The eights of all tiles of a weight of 8-bit codes, tile after tile.
struct Octets {
    std::vector<std::uint16_t> first_inputs;  // of a tile's narrow ones, then of the others
    std::vector<std::uint16_t> num_narrow;    // for each tile
};

// Of a weight whose tiles, sizes and bits are filled in. Throws std::bad_alloc.
Octets sort_octets(const TiledWeight& weight);

}  // namespace farthing
