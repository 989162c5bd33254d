// Sums of a packed table's rows, bag by bag, written once over the vector type `F32` of the tier that includes this.
//
// A value is offset + scale * level: one multiplication and, with an offset, one addition. A bag adds its rows to zeros in
// the order of its indices, each times its weight if there are weights; a mean is divided once, at the end. No step is
// fused with another, so that every tier gives the same floats.

// How far ahead of its use a row is fetched: one row at each step keeps about as many lines on the way as a core can
// wait for, where a burst of fetches for every bag was twice as slow.
constexpr std::size_t rows_ahead = 24;

constexpr std::size_t line_bytes = 64;

// The place of the scale of a row. Groups are tried in turn, one for each bag: what a click model asks for, a bag for
// every field of a sample, then needs no search.
class ScaleFinder {
   public:
    ScaleFinder(const PackedTable& table, std::size_t first_bag) : table_(table) {
        if (table.granularity == Granularity::group) enter(first_bag % table.num_groups);
    }

    // To be called after every bag.
    void next_bag() {
        if (table_.granularity == Granularity::group) enter(group_ + 1 < table_.num_groups ? group_ + 1 : 0);
    }

    std::size_t of_row(std::size_t row) {
        if (table_.granularity == Granularity::row) return row;
        if (table_.granularity == Granularity::group && (row < first_row_ || row >= end_row_)) search(row);
        return group_;
    }

   private:
    void enter(std::size_t group) {
        group_ = group;
        first_row_ = start_of(group);
        end_row_ = group + 1 < table_.num_groups ? start_of(group + 1) : table_.num_rows;
    }

    // Finds the last group that starts at or before the row.
    void search(std::size_t row) {
        std::size_t low = 0, high = table_.num_groups;
        while (high - low > 1) {
            const std::size_t middle = low + (high - low) / 2;
            (start_of(middle) <= row ? low : high) = middle;
        }
        enter(low);
    }

    std::size_t start_of(std::size_t group) const { return static_cast<std::size_t>(table_.group_starts[group]); }

    const PackedTable& table_;
    std::size_t group_ = 0;
    std::size_t first_row_ = 0;
    std::size_t end_row_ = 0;
};

template <typename Index>
inline std::size_t start_of(const Bags<Index>& bags, std::size_t bag) {
    if (bags.offsets == nullptr) return bag * bags.bag_size;
    return bag < bags.num_offsets ? static_cast<std::size_t>(bags.offsets[bag]) : bags.num_indices;
}

// One bag: the positions of its rows in the indices.
struct Span {
    std::size_t start;
    std::size_t end;
};

// Bits and the type of indices are template parameters so that the loop over rows has neither branches nor shifts for them.
template <unsigned Bits, typename Index>
class BagSum {
   public:
    BagSum(const PackedTable& table, const Bags<Index>& bags, std::size_t first_bag)
        : table_(table), bags_(bags), scales_(table, first_bag) {}

    void sum(Span bag, float* out) {
        constexpr std::size_t size = F32::size;
        std::size_t column = 0;
        for (; column + 4 * size <= table_.dim; column += 4 * size) sum_columns<4>(bag, column, out);
        if (column + 2 * size <= table_.dim) {
            sum_columns<2>(bag, column, out);
            column += 2 * size;
        }
        if (column + size <= table_.dim) {
            sum_columns<1>(bag, column, out);
            column += size;
        }
        if (column < table_.dim) sum_last_columns(bag, column, out);
        scales_.next_bag();
    }

    // Asks for the rows that the first steps will use.
    void start(std::size_t position) {
        for (std::size_t i = position; i < position + rows_ahead; ++i) fetch(i);
    }

   private:
    template <std::size_t Vectors>
    void sum_columns(Span bag, std::size_t column, float* out) {
        F32 sums[Vectors];
        for (F32& sum : sums) sum = F32::all(0.0f);
        for (std::size_t i = bag.start; i < bag.end; ++i) {
            if (column == 0) fetch(i + rows_ahead);
            const std::size_t row = static_cast<std::size_t>(bags_.indices[i]);
            const std::uint8_t* codes = table_.codes + row * table_.stride;
            const std::size_t place = scales_.of_row(row);
            for (std::size_t k = 0; k < Vectors; ++k) {
                const std::size_t first = column + k * F32::size;
                sums[k] = sums[k] + weighted(value(levels<Bits>(codes, first), place, first), i);
            }
        }
        for (std::size_t k = 0; k < Vectors; ++k) pooled(sums[k], bag).store(out + column + k * F32::size);
    }

    // The columns behind the last whole vector, through memory of a vector's size: nothing is read or written behind them.
    void sum_last_columns(Span bag, std::size_t column, float* out) {
        const std::size_t count = table_.dim - column, first_byte = column * Bits / 8;
        F32 sum = F32::all(0.0f);
        for (std::size_t i = bag.start; i < bag.end; ++i) {
            if (column == 0) fetch(i + rows_ahead);
            const std::size_t row = static_cast<std::size_t>(bags_.indices[i]);
            std::uint8_t codes[F32::size] = {};
            for (std::size_t j = first_byte; j < table_.stride; ++j) codes[j - first_byte] = table_.codes[row * table_.stride + j];
            const std::size_t place = scales_.of_row(row);
            sum = sum + weighted(last_value(levels<Bits>(codes, column * Bits % 8 / Bits), place, column), i);
        }
        float padded[F32::size];
        pooled(sum, bag).store(padded);
        for (std::size_t j = 0; j < count; ++j) out[column + j] = padded[j];
    }

    F32 value(F32 level, std::size_t place, std::size_t column) const {
        const bool by_column = table_.granularity == Granularity::dimension;
        const F32 scale = by_column ? F32::load(table_.scale + column) : F32::all(table_.scale[place]);
        if (table_.offset == nullptr) return level * scale;
        return level * scale + (by_column ? F32::load(table_.offset + column) : F32::all(table_.offset[place]));
    }

    F32 last_value(F32 level, std::size_t place, std::size_t column) const {
        if (table_.granularity != Granularity::dimension) return value(level, place, column);
        const F32 scaled = level * load_last(table_.scale, column);
        return table_.offset == nullptr ? scaled : scaled + load_last(table_.offset, column);
    }

    F32 load_last(const float* from, std::size_t column) const {
        float padded[F32::size] = {};
        for (std::size_t j = column; j < table_.dim; ++j) padded[j - column] = from[j];
        return F32::load(padded);
    }

    F32 weighted(F32 x, std::size_t position) const {
        return bags_.weights == nullptr ? x : x * F32::all(bags_.weights[position]);
    }

    F32 pooled(F32 sum, Span bag) const {
        const std::size_t num_rows = bag.end - bag.start;
        return bags_.mean && num_rows > 1 ? sum / F32::all(static_cast<float>(num_rows)) : sum;
    }

    // Asks for the lines of the row at a position, if there is one. The index may be of a later block, and so of no row at
    // all: its address is a number that nothing is read from. Always inline, or GCC 12 takes the call for one without an
    // effect and drops it.
    [[gnu::always_inline]] void fetch(std::size_t position) const {
        if (position >= bags_.num_indices) return;
        const std::size_t row = static_cast<std::size_t>(bags_.indices[position]);
        const std::uintptr_t codes = reinterpret_cast<std::uintptr_t>(table_.codes) + row * table_.stride;
        for (std::size_t byte = 0; byte < table_.stride; byte += line_bytes) prefetch(codes + byte);
        if (table_.granularity == Granularity::row) {
            prefetch(reinterpret_cast<std::uintptr_t>(table_.scale) + row * sizeof(float));
        }
    }

    [[gnu::always_inline]] static void prefetch(std::uintptr_t address) { __builtin_prefetch(reinterpret_cast<const void*>(address)); }

    const PackedTable& table_;
    const Bags<Index>& bags_;
    ScaleFinder scales_;
};

template <unsigned Bits, typename Index>
void bag_sum_bits(const PackedTable& table, const Bags<Index>& bags, std::size_t first, std::size_t last, float* out,
                  std::size_t out_stride) {
    BagSum<Bits, Index> rows(table, bags, first);
    std::size_t start = start_of(bags, first);
    rows.start(start);
    for (std::size_t bag = first; bag < last; ++bag, out += out_stride) {
        const std::size_t end = start_of(bags, bag + 1);
        rows.sum({start, end}, out);
        start = end;
    }
}

template <typename Index>
void bag_sum(const PackedTable& table, const Bags<Index>& bags, std::size_t first, std::size_t last, float* out,
             std::size_t out_stride) {
    switch (table.bits) {
        case 1:
            return bag_sum_bits<1>(table, bags, first, last, out, out_stride);
        case 2:
            return bag_sum_bits<2>(table, bags, first, last, out, out_stride);
        case 4:
            return bag_sum_bits<4>(table, bags, first, last, out, out_stride);
        case 8:
            return bag_sum_bits<8>(table, bags, first, last, out, out_stride);
    }
}

