// What is wrong with indices and offsets: plain loops that compilers turn into vectors, on every instruction set. A
// block of numbers is judged by one sign bit; only where it is bad are its numbers looked at one by one.

constexpr std::size_t check_block = 64;

// std::make_unsigned would be a template of the standard library.
inline std::uint32_t as_unsigned(std::int32_t number) { return static_cast<std::uint32_t>(number); }
inline std::uint64_t as_unsigned(std::int64_t number) { return static_cast<std::uint64_t>(number); }

template <typename Index>
constexpr Index highest_index = sizeof(Index) == 4 ? static_cast<Index>(INT32_MAX) : static_cast<Index>(INT64_MAX);

template <typename Index>
std::size_t first_outside(const Index* numbers, std::size_t count, std::size_t limit) {
    const Index highest = limit > static_cast<std::size_t>(highest_index<Index>) ? highest_index<Index>
                                                                                  : static_cast<Index>(limit) - 1;
    std::size_t i = 0;
    for (; i + check_block <= count && limit > 0; i += check_block) {
        // The sign of x | highest - x: x is negative, or above the highest.
        auto signs = as_unsigned(Index{0});
        for (std::size_t j = i; j < i + check_block; ++j) {
            signs |= as_unsigned(numbers[j]) | (as_unsigned(highest) - as_unsigned(numbers[j]));
        }
        if (static_cast<Index>(signs) < 0) break;
    }
    while (i < count && static_cast<std::size_t>(numbers[i]) < limit) ++i;
    return i;
}

template <typename Index>
std::size_t first_descent(const Index* numbers, std::size_t count) {
    std::size_t i = 1;
    for (; i + check_block <= count; i += check_block) {
        // A difference of numbers that are not negative has the sign it should have; others are looked at.
        auto signs = as_unsigned(numbers[i - 1]);
        for (std::size_t j = i; j < i + check_block; ++j) {
            signs |= as_unsigned(numbers[j]) | (as_unsigned(numbers[j]) - as_unsigned(numbers[j - 1]));
        }
        if (static_cast<Index>(signs) < 0) break;
    }
    while (i < count && numbers[i] >= numbers[i - 1]) ++i;
    return i < count ? i : count;
}
