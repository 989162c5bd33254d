// Sums of a packed table's rows, bag by bag, written once over the vector type `F32` of the tier that includes this.
//
// A value is level * scale + offset, two roundings, with offset 0 where there is none. A bag adds its rows to zeros in
// the order of its indices, each times its weight, 1 where there are none; a mean is divided once, at the end. No step
// is fused with another, so that every tier gives the same floats; and nothing depends on the zeros and ones that stand
// for what is not there.

// How far ahead of its use a row is fetched: one at each step, not the rows of a bag at once, which was twice as slow.
// Into the second cache, because more lines can be on their way to it than to the first (measured on a table of 26
// million rows of one bit: 10.1 ns a row; 14.3 with 24 rows ahead into the first).
constexpr std::size_t rows_ahead = 64;
constexpr int second_cache = 2;

// The same for the lines that sums are written to (measured with cold caches: a tenth of the time).
constexpr std::size_t bags_ahead = 16;

// What is the same for all columns of one call.
template <typename Index>
struct BagCall {
    const PackedTable& table;
    const Bags<Index>& bags;
    std::size_t first;
    std::size_t last;
    float* out;
    std::size_t out_stride;
};

template <typename Index>
inline std::size_t start_of(const Bags<Index>& bags, std::size_t bag) {
    if (bags.offsets == nullptr) return bag * bags.bag_size;
    return bag < bags.num_offsets ? static_cast<std::size_t>(bags.offsets[bag]) : bags.num_indices;
}

// Whether every bag has one row, as the fields of a click model mostly do.
template <typename Index>
inline bool is_one_each(const Bags<Index>& bags, std::size_t first, std::size_t last) {
    if (bags.offsets == nullptr) return bags.bag_size == 1;
    const std::size_t given = last < bags.num_offsets ? last : bags.num_offsets - 1;
    Index differing = 0;
    for (std::size_t bag = first; bag < given; ++bag) differing |= (bags.offsets[bag + 1] - bags.offsets[bag]) ^ 1;
    return differing == 0 && start_of(bags, last) - start_of(bags, first) == last - first;
}

// Levels to values: the scale and the offset of the row that it was moved to.
template <Granularity G>
class Values {
   public:
    Values(const PackedTable& table, std::size_t) : table_(table) {}

    void next_bag() {}

    void move_to(std::size_t row) {
        if constexpr (G == Granularity::row) load(row);
    }

    F32 of(F32 level, std::size_t column) const {
        if constexpr (G == Granularity::row) return level * scale_ + offset_;
        const F32 scaled = level * F32::load(table_.scale + column);
        return table_.offset == nullptr ? scaled : scaled + F32::load(table_.offset + column);
    }

   protected:
    void load(std::size_t place) {
        scale_ = F32::all(table_.scale[place]);
        offset_ = F32::all(table_.offset == nullptr ? 0.0f : table_.offset[place]);
    }

    const PackedTable& table_;
    F32 scale_ = F32::all(0.0f);
    F32 offset_ = F32::all(0.0f);
};

// Groups are tried in turn, one for each bag. What a click model asks for, a bag for every field of a sample, then
// needs no search; any other row does.
template <>
class Values<Granularity::group> : public Values<Granularity::row> {
   public:
    Values(const PackedTable& table, std::size_t first_bag)
        : Values<Granularity::row>(table, 0), group_((first_bag + table.num_groups - 1) % table.num_groups) {}

    void next_bag() { enter(group_ + 1 < table_.num_groups ? group_ + 1 : 0); }

    void move_to(std::size_t row) {
        if (row - first_row_ >= num_rows_) enter(group_of(row));
    }

   private:
    void enter(std::size_t group) {
        group_ = group;
        first_row_ = start_of_group(group);
        num_rows_ = (group + 1 < table_.num_groups ? start_of_group(group + 1) : table_.num_rows) - first_row_;
        load(group);
    }

    // The last group that starts at or before the row.
    std::size_t group_of(std::size_t row) const {
        std::size_t low = 0, high = table_.num_groups;
        while (high - low > 1) {
            const std::size_t middle = low + (high - low) / 2;
            (start_of_group(middle) <= row ? low : high) = middle;
        }
        return low;
    }

    std::size_t start_of_group(std::size_t group) const { return static_cast<std::size_t>(table_.group_starts[group]); }

    std::size_t group_;
    std::size_t first_row_ = 0;
    std::size_t num_rows_ = 0;
};

// Asks for the codes of a column in the row at a position, if there is one. The index may be of a later block, and so
// of no row at all: its address is a number that nothing is read from. Always inline, or GCC 12 takes the call for one
// without an effect and drops it.
template <Granularity G, typename Index>
[[gnu::always_inline]] inline void fetch(const PackedTable& table, const Bags<Index>& bags, std::size_t position,
                                         std::size_t first_byte) {
    if (position >= bags.num_indices) return;
    const std::size_t row = static_cast<std::size_t>(bags.indices[position]);
    const std::uintptr_t codes = reinterpret_cast<std::uintptr_t>(table.codes) + row * table.stride + first_byte;
    __builtin_prefetch(reinterpret_cast<const void*>(codes), 0, second_cache);
    if constexpr (G == Granularity::row) {
        const std::uintptr_t scale = reinterpret_cast<std::uintptr_t>(table.scale) + row * sizeof(float);
        __builtin_prefetch(reinterpret_cast<const void*>(scale), 0, second_cache);
    }
}

template <typename Index>
inline F32 weight_of(const Bags<Index>& bags, std::size_t position) {
    return F32::all(bags.weights == nullptr ? 1.0f : bags.weights[position]);
}

// Sums `Vectors` vectors of columns of all bags, from `column` on. Bits and all other parameters of the template are
// such that the loop over rows has no branch and no shift for them, and all sums stay in registers; with one row in
// each bag there is no such loop.
template <unsigned Bits, Granularity G, bool IsOneEach, std::size_t Vectors, typename Index>
void sum_columns(const BagCall<Index>& call, std::size_t column) {
    const PackedTable table = call.table;
    const Bags<Index> bags = call.bags;
    const std::size_t first_byte = column * Bits / 8;
    Values<G> values(table, call.first);
    std::size_t i = start_of(bags, call.first);
    for (std::size_t j = i; j < i + rows_ahead; ++j) fetch<G>(table, bags, j, first_byte);
    const std::size_t bytes_ahead = bags_ahead * call.out_stride * sizeof(float);
    float* out = call.out + column;
    for (std::size_t bag = call.first; bag < call.last; ++bag, out += call.out_stride) {
        const std::size_t start = i, end = IsOneEach ? i + 1 : start_of(bags, bag + 1);
        __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(out) + bytes_ahead), 1);
        F32 sums[Vectors];
        for (F32& sum : sums) sum = F32::all(0.0f);
        values.next_bag();
        for (; i < end; ++i) {
            fetch<G>(table, bags, i + rows_ahead, first_byte);
            const std::size_t row = static_cast<std::size_t>(bags.indices[i]);
            const std::uint8_t* codes = table.codes + row * table.stride;
            const F32 weight = weight_of(bags, i);
            values.move_to(row);
            for (std::size_t k = 0; k < Vectors; ++k) {
                const std::size_t at = column + k * F32::size;
                sums[k] = sums[k] + values.of(levels<Bits>(codes, at), at) * weight;
            }
        }
        if (bags.mean && end - start > 1) {
            for (F32& sum : sums) sum = sum / F32::all(static_cast<float>(end - start));
        }
        for (std::size_t k = 0; k < Vectors; ++k) sums[k].store(out + k * F32::size);
    }
}

// Sums the columns behind the last whole vector as one of a table of their own: its rows are copied into `codes`, and
// its scales and sums lie in memory of a vector's size, so that nothing is read or written behind a row.
template <unsigned Bits, Granularity G, typename Index>
void sum_last_columns(const BagCall<Index>& call, std::size_t column) {
    const PackedTable& table = call.table;
    const std::size_t num_columns = table.dim - column;
    const std::size_t first_byte = column * Bits / 8, in_byte = column * Bits % 8 / Bits;
    float scale[F32::size] = {}, offset[F32::size] = {};
    PackedTable last = table;
    if constexpr (G == Granularity::dimension) {
        for (std::size_t j = 0; j < num_columns; ++j) scale[j] = table.scale[column + j];
        for (std::size_t j = 0; table.offset != nullptr && j < num_columns; ++j) offset[j] = table.offset[column + j];
        last.scale = scale;
        last.offset = offset;
    }
    Values<G> values(last, call.first);
    std::size_t i = start_of(call.bags, call.first);
    float* out = call.out + column;
    for (std::size_t bag = call.first; bag < call.last; ++bag, out += call.out_stride) {
        const std::size_t start = i, end = start_of(call.bags, bag + 1);
        F32 sum = F32::all(0.0f);
        values.next_bag();
        for (; i < end; ++i) {
            fetch<G>(table, call.bags, i + rows_ahead, first_byte);
            const std::size_t row = static_cast<std::size_t>(call.bags.indices[i]);
            const std::uint8_t* row_codes = table.codes + row * table.stride;
            std::uint8_t codes[F32::size] = {};
            for (std::size_t j = first_byte; j < table.stride; ++j) codes[j - first_byte] = row_codes[j];
            values.move_to(row);
            sum = sum + values.of(levels<Bits>(codes, in_byte), 0) * weight_of(call.bags, i);
        }
        if (call.bags.mean && end - start > 1) sum = sum / F32::all(static_cast<float>(end - start));
        float padded[F32::size];
        sum.store(padded);
        for (std::size_t j = 0; j < num_columns; ++j) out[j] = padded[j];
    }
}

template <unsigned Bits, Granularity G, bool IsOneEach, typename Index>
void sum_whole_vectors(const BagCall<Index>& call) {
    constexpr std::size_t size = F32::size;
    const std::size_t dim = call.table.dim;
    std::size_t column = 0;
    for (; column + 8 * size <= dim; column += 8 * size) sum_columns<Bits, G, IsOneEach, 8>(call, column);
    for (; column + 4 * size <= dim; column += 4 * size) sum_columns<Bits, G, IsOneEach, 4>(call, column);
    for (; column + 2 * size <= dim; column += 2 * size) sum_columns<Bits, G, IsOneEach, 2>(call, column);
    for (; column + 1 * size <= dim; column += 1 * size) sum_columns<Bits, G, IsOneEach, 1>(call, column);
}

template <unsigned Bits, Granularity G, typename Index>
void sum_all_columns(const BagCall<Index>& call) {
    if (G == Granularity::group && is_one_each(call.bags, call.first, call.last)) {
        sum_whole_vectors<Bits, Granularity::group, true>(call);  // of no other kind: it would be code that nobody runs
    } else {
        sum_whole_vectors<Bits, G, false>(call);
    }
    const std::size_t column = call.table.dim / F32::size * F32::size;
    if (column < call.table.dim) sum_last_columns<Bits, G>(call, column);
}

template <unsigned Bits, typename Index>
void bag_sum_bits(const BagCall<Index>& call) {
    switch (call.table.granularity) {
        case Granularity::group:
            return sum_all_columns<Bits, Granularity::group>(call);
        case Granularity::dimension:
            return sum_all_columns<Bits, Granularity::dimension>(call);
        case Granularity::row:
            return sum_all_columns<Bits, Granularity::row>(call);
    }
}

template <typename Index>
void bag_sum(const PackedTable& table, const Bags<Index>& bags, std::size_t first, std::size_t last, float* out,
             std::size_t out_stride) {
    const BagCall<Index> call{table, bags, first, last, out, out_stride};
    switch (table.bits) {
        case 1:
            return bag_sum_bits<1>(call);
        case 2:
            return bag_sum_bits<2>(call);
        case 4:
            return bag_sum_bits<4>(call);
        case 8:
            return bag_sum_bits<8>(call);
    }
}
