#include "clicks.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace farthing {
namespace {

Features all_of(std::vector<std::uint32_t> columns) {
    std::vector<std::uint32_t> places(columns.size());
    std::iota(places.begin(), places.end(), 0u);
    return {std::move(places), std::move(columns)};
}

// The features that are among `columns`, which lines have one after the other.
Features some_of(const Features& features, const std::vector<std::size_t>& columns) {
    Features some;
    for (std::size_t i = 0; i < features.size(); ++i) {
        const auto found = std::lower_bound(columns.begin(), columns.end(), features.columns[i]);
        if (found == columns.end() || *found != features.columns[i]) continue;
        some.places.push_back(features.places[i]);
        some.columns.push_back(static_cast<std::uint32_t>(found - columns.begin()));
    }
    return some;
}

}  // namespace

ClickParser::ClickParser(LineLayout layout, Standardisation standardisation, std::vector<Vocabulary> vocabularies,
                         std::vector<std::uint64_t> table_rows)
    : separator_(layout.separator),
      all_{layout.num_columns, all_of(std::move(layout.dense_columns)), all_of(std::move(layout.field_columns)), true},
      standardisation_(std::move(standardisation)),
      vocabularies_(std::move(vocabularies)),
      table_rows_(std::move(table_rows)) {
    for (std::uint64_t first = 0; const std::uint64_t rows : table_rows_) {
        first_rows_.push_back(first);
        first += rows;
    }
}

LineColumns ClickParser::some(const std::vector<std::size_t>& columns) const {
    return {columns.size(), some_of(all_.dense, columns), some_of(all_.fields, columns), false};
}

Parsed ClickParser::parse(const LineColumns& columns, const char* text, std::size_t size, std::size_t max_rows,
                          float* dense, std::int64_t* ids) const {
    using Parse = decltype(&ClickParser::parse_as<true, true>);
    constexpr Parse parses[2][2] = {{&ClickParser::parse_as<false, false>, &ClickParser::parse_as<false, true>},
                                    {&ClickParser::parse_as<true, false>, &ClickParser::parse_as<true, true>}};
    const Parse parse = parses[vocabularies_.empty()][columns.has_all];
    return (this->*parse)(columns, text, size, max_rows, dense, ids);
}

template <bool is_hashed, bool has_all>
Parsed ClickParser::parse_as(const LineColumns& columns, const char* text, std::size_t size, std::size_t max_rows,
                             float* dense, std::int64_t* ids) const {
    // Look-ups are one row behind the text, so that memory has answered when they come.
    std::vector<Key> pending(is_hashed ? 0 : columns.fields.size());
    bool is_pending = false;
    const auto take = [&](const Line& line) {
        if (!read_numbers<has_all>(columns.dense, line, dense)) return false;
        if constexpr (is_hashed) {
            hash_ids<has_all>(columns.fields, line, ids);
        } else {
            if (is_pending) look_up<has_all>(columns.fields, pending.data(), ids - num_fields());
            query<has_all>(columns.fields, line, pending.data());
            is_pending = true;
        }
        dense += num_dense();
        ids += num_fields();
        return true;
    };
    const Parsed parsed = read_lines(text, size, separator_, columns.count, max_rows, take);
    if (is_pending) look_up<has_all>(columns.fields, pending.data(), ids - num_fields());
    return parsed;
}

template <bool has_all>
bool ClickParser::read_numbers(const Features& numbers, const Line& line, float* dense) const noexcept {
    const std::size_t count = numbers.size();
    const std::uint32_t* columns = numbers.columns.data();
    const double* means = standardisation_.means.data();
    const double* inverse_deviations = standardisation_.inverse_deviations.data();
    for (std::size_t i = 0; i < count; ++i) {
        const Value value = line.column(columns[i]);
        const std::size_t place = numbers.place<has_all>(i);
        if (value.size == 0) {
            dense[place] = 0.0f;
            continue;
        }
        float log;
        if (!logarithms_.read(value, log)) return false;
        // A product, as polars divides a column by a number.
        dense[place] = static_cast<float>((static_cast<double>(log) - means[place]) * inverse_deviations[place]);
    }
    return true;
}

template <bool has_all>
void ClickParser::hash_ids(const Features& fields, const Line& line, std::int64_t* ids) const noexcept {
    const std::size_t count = fields.size();
    const std::uint32_t* columns = fields.columns.data();
    const std::uint64_t* first_rows = first_rows_.data();
    const std::uint64_t* table_rows = table_rows_.data();
    for (std::size_t i = 0; i < count; ++i) {
        const Value value = line.column(columns[i]);
        const std::size_t place = fields.place<has_all>(i);
        const std::uint64_t hash = hash_of(value, field_seed(place));
        const std::uint64_t id = num_reserved_ids + reduced(hash, table_rows[place] - num_reserved_ids);
        ids[place] = static_cast<std::int64_t>(first_rows[place] + (value.size == 0 ? missing_id : id));
    }
}

template <bool has_all>
void ClickParser::query(const Features& fields, const Line& line, Key* row) const noexcept {
    const std::size_t count = fields.size();
    const std::uint32_t* columns = fields.columns.data();
    const Vocabulary* vocabularies = vocabularies_.data();
    for (std::size_t i = 0; i < count; ++i) {
        const Value value = line.column(columns[i]);
        row[i] = vocabularies[fields.place<has_all>(i)].query(value);
    }
}

template <bool has_all>
void ClickParser::look_up(const Features& fields, const Key* row, std::int64_t* ids) const noexcept {
    const std::size_t count = fields.size();
    const std::uint64_t* first_rows = first_rows_.data();
    const Vocabulary* vocabularies = vocabularies_.data();
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t place = fields.place<has_all>(i);
        ids[place] = static_cast<std::int64_t>(first_rows[place] + vocabularies[place].id(row[i]));
    }
}

}  // namespace farthing
