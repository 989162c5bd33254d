// What is wrong with indices and offsets: plain loops that compilers turn into vectors. A block of numbers is judged
// without a branch; only where it is bad are its numbers looked at one by one.

constexpr std::size_t check_block = 64;

template <typename Index>
std::size_t first_outside(const Index* numbers, std::size_t count, std::size_t limit) {
    std::size_t i = 0;
    for (; i + check_block <= count; i += check_block) {
        bool is_bad = false;
        for (std::size_t j = i; j < i + check_block; ++j) is_bad |= static_cast<std::size_t>(numbers[j]) >= limit;
        if (is_bad) break;
    }
    while (i < count && static_cast<std::size_t>(numbers[i]) < limit) ++i;
    return i;
}

template <typename Index>
std::size_t first_descent(const Index* numbers, std::size_t count) {
    std::size_t i = 1;
    for (; i + check_block <= count; i += check_block) {
        bool is_bad = false;
        for (std::size_t j = i; j < i + check_block; ++j) is_bad |= numbers[j] < numbers[j - 1];
        if (is_bad) break;
    }
    while (i < count && numbers[i] >= numbers[i - 1]) ++i;
    return i < count ? i : count;
}
