// The positions of separators and newlines in text, written once over the type `Text` of the tier that includes this.

// Appends `start` + the position of every set bit. How many there are is what a CPU cannot predict, so eight are written at
// once; those beyond the last are overwritten or left out. The guard bit gives them a position where no bit is left.
inline std::uint32_t* append_bits(std::uint64_t bits, std::uint32_t start, std::uint32_t* to) {
    constexpr std::uint64_t guard = std::uint64_t{1} << 63;
    std::uint32_t* const end = to + __builtin_popcountll(bits);
    while (to < end) {
        for (int i = 0; i < 8; ++i) {
            *to++ = start + static_cast<std::uint32_t>(__builtin_ctzll(bits | guard));
            bits &= bits - 1;
        }
    }
    return end;
}

std::size_t find_marks(const char* text, std::size_t size, char separator, std::uint32_t* marks) {
    std::uint32_t* end = marks;
    std::size_t i = 0;
    for (; i + Text::size <= size; i += Text::size) {
        end = append_bits(Text::equal(text + i, separator, '\n'), static_cast<std::uint32_t>(i), end);
    }
    for (; i < size; ++i) {
        if (text[i] == separator || text[i] == '\n') *end++ = static_cast<std::uint32_t>(i);
    }
    return static_cast<std::size_t>(end - marks);
}
