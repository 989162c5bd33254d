#include "octets.hpp"

#include <algorithm>

namespace farthing {
namespace {

constexpr std::size_t step_inputs = 4;        // of one instruction, which sums the products of 0, 1 and of 2, 3
constexpr int largest_levels = 32767 / 127;  // of the same sign

// The levels whose products one sum of 16 bits holds.
struct Sum16 {
    int above = 0, below = 0;

    void add(int level) noexcept { (level > 0 ? above : below) += level; }
    bool is_narrow() const noexcept { return above <= largest_levels && below >= -largest_levels; }
};

// Whether the eight inputs from `first` on are, for the outputs of a tile.
bool is_narrow(const TiledWeight& weight, std::size_t tile, std::size_t first) noexcept {
    const std::uint8_t* codes = weight.tiles + tile * weight.tile_bytes;
    const std::size_t num_outputs = std::min(integer_tile_outputs, weight.num_outputs - tile * integer_tile_outputs);
    const std::size_t last = std::min(first + octet_inputs, weight.num_inputs);
    for (std::size_t output = 0; output < num_outputs; ++output) {
        Sum16 sums[2];
        for (std::size_t input = first; input < last; ++input) {
            const std::size_t in_step = input % step_inputs;
            const std::uint8_t code = codes[input / step_inputs * block_bytes + output * step_inputs + in_step];
            sums[in_step / 2].add(code - 128);
        }
        if (!sums[0].is_narrow() || !sums[1].is_narrow()) return false;
    }
    return true;
}

}  // namespace

Octets sort_octets(const TiledWeight& weight) {
    const std::size_t num_tiles = (weight.num_outputs + integer_tile_outputs - 1) / integer_tile_outputs;
    const std::size_t tile_octets = weight.row_bytes / octet_inputs;
    Octets octets{std::vector<std::uint16_t>(num_tiles * tile_octets), std::vector<std::uint16_t>(num_tiles)};
    for (std::size_t tile = 0; tile < num_tiles; ++tile) {
        std::uint16_t* const begin = octets.first_inputs.data() + tile * tile_octets;
        for (std::size_t i = 0; i < tile_octets; ++i) begin[i] = static_cast<std::uint16_t>(i * octet_inputs);
        const std::uint16_t* others = std::stable_partition(
            begin, begin + tile_octets, [&](std::uint16_t first) { return is_narrow(weight, tile, first); });
        octets.num_narrow[tile] = static_cast<std::uint16_t>(others - begin);
    }
    return octets;
}

}  // namespace farthing
