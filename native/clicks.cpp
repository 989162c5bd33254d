#include "clicks.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "dispatch.hpp"
#include "numbers.hpp"

namespace farthing {
namespace {

// Text whose separators are found together, so that it stays in level 1; a longer line is not clean.
constexpr std::size_t window_bytes = 8192;

}  // namespace

ClickParser::ClickParser(LineLayout layout, Standardisation standardisation, std::vector<Vocabulary> vocabularies,
                         std::vector<std::uint64_t> table_rows)
    : layout_(std::move(layout)),
      standardisation_(std::move(standardisation)),
      vocabularies_(std::move(vocabularies)),
      table_rows_(std::move(table_rows)) {
    for (std::uint64_t first = 0; const std::uint64_t rows : table_rows_) {
        first_rows_.push_back(first);
        first += rows;
    }
    for (std::size_t n = 0; n < logs_.size(); ++n) logs_[n] = std::log1p(static_cast<float>(n));
}

Parsed ClickParser::parse(const char* text, std::size_t size, std::size_t max_rows, float* dense,
                          std::int64_t* ids) const {
    return vocabularies_.empty() ? parse_as<true>(text, size, max_rows, dense, ids)
                                 : parse_as<false>(text, size, max_rows, dense, ids);
}

template <bool is_hashed>
Parsed ClickParser::parse_as(const char* text, std::size_t size, std::size_t max_rows, float* dense,
                             std::int64_t* ids) const {
    // Look-ups are one row behind the text, so that memory has answered when they come.
    std::vector<Vocabulary::Query> pending(is_hashed ? 0 : num_fields());
    std::array<std::uint32_t, 1 + window_bytes + 8> marks;
    marks[0] = std::numeric_limits<std::uint32_t>::max();
    Parsed parsed{0, 0};
    while (parsed.num_rows < max_rows) {
        const char* window = text + parsed.end;
        const std::size_t window_size = std::min(size - parsed.end, window_bytes);
        const std::size_t num_marks = kernels().find_marks(window, window_size, layout_.separator, marks.data() + 1);
        std::size_t num_taken = 0;
        for (; num_taken + layout_.num_columns <= num_marks && parsed.num_rows < max_rows; ++parsed.num_rows) {
            const Line line{text, window, marks.data() + 1 + num_taken};
            if (!is_whole(line) || !read_numbers(line, dense)) break;
            if constexpr (is_hashed) {
                hash_ids(line, ids);
            } else {
                if (parsed.num_rows > 0) look_up(pending.data(), ids - num_fields());
                query(line, pending.data());
            }
            num_taken += layout_.num_columns;
            dense += num_dense();
            ids += num_fields();
        }
        if (num_taken == 0) break;
        parsed.end += marks[num_taken] + 1;
    }
    if (!is_hashed && parsed.num_rows > 0) look_up(pending.data(), ids - num_fields());
    return parsed;
}

namespace {

// The first end may be that of no line, -1 as an unsigned number: adding 1 gives 0 again.
inline Value column_of(const char* text, const char* window, const std::uint32_t* ends, std::uint32_t column) {
    const std::uint32_t begin = (ends - 1)[column] + 1;
    return {text, window + begin, ends[column] - begin};
}

}  // namespace

bool ClickParser::is_whole(const Line& line) const noexcept {
    const char* begin = line.window + static_cast<std::uint32_t>(line.ends[-1] + 1);
    const char* end = line.window + line.ends[layout_.num_columns - 1];
    return std::memchr(begin, '\n', static_cast<std::size_t>(end - begin) + 1) == end && (end == begin || end[-1] != '\r');
}

float ClickParser::log_of(std::uint32_t number) const noexcept {
    return number < logs_.size() ? logs_[number] : std::log1p(static_cast<float>(number));
}

bool ClickParser::read_numbers(const Line& line, float* dense) const noexcept {
    const std::size_t count = num_dense();
    const std::uint32_t* columns = layout_.dense_columns.data();
    const double* means = standardisation_.means.data();
    const double* inverse_deviations = standardisation_.inverse_deviations.data();
    for (std::size_t i = 0; i < count; ++i) {
        const Value value = column_of(line.text, line.window, line.ends, columns[i]);
        if (value.size == 0) {
            dense[i] = 0.0f;
            continue;
        }
        const bool is_negative = *value.data == '-';
        const Value magnitude{value.text, value.data + is_negative, value.size - is_negative};
        float log;
        if (std::uint32_t number; magnitude.size - 1 < 8 && read_digits(magnitude, number)) {
            log = is_negative ? -log_of(number) : log_of(number);
        } else if (float real; read_float(value, real)) {
            log = std::copysign(std::log1p(std::abs(real)), real);
        } else {
            return false;
        }
        // A product, as polars divides a column by a number.
        dense[i] = static_cast<float>((static_cast<double>(log) - means[i]) * inverse_deviations[i]);
    }
    return true;
}

void ClickParser::hash_ids(const Line& line, std::int64_t* ids) const noexcept {
    const std::size_t count = num_fields();
    const std::uint32_t* columns = layout_.field_columns.data();
    const std::uint64_t* first_rows = first_rows_.data();
    const std::uint64_t* table_rows = table_rows_.data();
    for (std::size_t i = 0; i < count; ++i) {
        const Value value = column_of(line.text, line.window, line.ends, columns[i]);
        const std::uint64_t hash = hash_of(value, field_seed(i));
        const std::uint64_t id = num_reserved_ids + reduced(hash, table_rows[i] - num_reserved_ids);
        ids[i] = static_cast<std::int64_t>(first_rows[i] + (value.size == 0 ? missing_id : id));
    }
}

void ClickParser::query(const Line& line, Vocabulary::Query* row) const noexcept {
    const std::size_t count = num_fields();
    const std::uint32_t* columns = layout_.field_columns.data();
    const Vocabulary* vocabularies = vocabularies_.data();
    for (std::size_t i = 0; i < count; ++i) {
        row[i] = vocabularies[i].query(column_of(line.text, line.window, line.ends, columns[i]));
    }
}

void ClickParser::look_up(const Vocabulary::Query* row, std::int64_t* ids) const noexcept {
    const std::size_t count = num_fields();
    const std::uint64_t* first_rows = first_rows_.data();
    const Vocabulary* vocabularies = vocabularies_.data();
    for (std::size_t i = 0; i < count; ++i) {
        ids[i] = static_cast<std::int64_t>(first_rows[i] + vocabularies[i].id(row[i]));
    }
}

}  // namespace farthing
