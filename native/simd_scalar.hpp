// The vector types of the scalar tier: one lane, plain C++. What they do is the definition for all other tiers.

struct I32 {
    static constexpr std::size_t size = 1;
    std::int32_t lane;
    static I32 all(std::int32_t value) { return {value}; }
    static I32 load(const std::int32_t* from) { return {*from}; }
    static I32 load(const std::uint16_t* from) { return {*from}; }
};

struct F32 {
    static constexpr std::size_t size = 1;
    float lane;
    static F32 all(float value) { return {value}; }
    static F32 load(const float* from) { return {*from}; }
    void store(float* to) const { *to = lane; }
};

inline I32 operator+(I32 a, I32 b) { return {a.lane + b.lane}; }
inline I32 operator-(I32 a, I32 b) { return {a.lane - b.lane}; }
inline I32 operator*(I32 a, I32 b) { return {a.lane * b.lane}; }
inline F32 operator+(F32 a, F32 b) { return {a.lane + b.lane}; }
inline F32 operator-(F32 a, F32 b) { return {a.lane - b.lane}; }
inline F32 operator*(F32 a, F32 b) { return {a.lane * b.lane}; }
inline F32 operator/(F32 a, F32 b) { return {a.lane / b.lane}; }

// a b + c, rounded once.
inline F32 fused(F32 a, F32 b, F32 c) { return {__builtin_fmaf(a.lane, b.lane, c.lane)}; }

// Like MINPS and MAXPS the comparisons give the second operand for NaN.
inline F32 clip(F32 x, float lowest, float highest) {
    const float capped = x.lane < highest ? x.lane : highest;
    return {capped > lowest ? capped : lowest};
}

// Nearest integer, ties to even, of a number in [-2^22, 2^22]: added to 1.5 * 2^23, it has no room for a fraction.
inline I32 round_even(F32 x) {
    constexpr float shift = 12582912.0f;
    return {static_cast<std::int32_t>((x.lane + shift) - shift)};
}

inline I32 select_below_zero(F32 x, I32 below, I32 otherwise) { return x.lane < 0.0f ? below : otherwise; }

// Stores lanes in [-128, 127] as bytes.
inline void store_i8(std::int8_t* to, I32 x) { *to = static_cast<std::int8_t>(x.lane); }

// The levels of the next `F32::size` codes of a row; `column`, of the first of them, is a multiple of that size. Reads
// no byte that holds none of them.
template <unsigned Bits>
inline F32 levels(const std::uint8_t* row, std::size_t column) {
    constexpr unsigned mask = (1u << Bits) - 1;
    constexpr float lowest = Bits == 8 ? -128.0f : Bits == 4 ? -8.0f : -1.5f;
    const unsigned code = (row[column * Bits / 8] >> (column * Bits % 8)) & mask;
    if constexpr (Bits == 1) return {code != 0 ? -1.0f : 1.0f};
    return {static_cast<float>(code) + lowest};
}

// Bit i is set if byte i of 8 is `a` or `b`.
struct Text {
    static constexpr std::size_t size = 8;
    static std::uint64_t equal(const char* from, char a, char b) {
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < size; ++i) bits |= std::uint64_t{from[i] == a || from[i] == b} << i;
        return bits;
    }
};
