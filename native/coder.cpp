#include "coder.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "dictionary.hpp"

namespace farthing {
namespace {

// A missing value, until it is known how many there are.
constexpr std::uint32_t missing_code = std::numeric_limits<std::uint32_t>::max();

// Gives the values of one field codes in the order of their bytes, and keeps them.
void sort_codes(const Dictionary& dictionary, std::uint32_t* codes, std::size_t num_rows, Dictionaries& to) {
    const std::vector<std::uint32_t> sorted = dictionary.sorted();
    std::vector<std::uint32_t> ranks(sorted.size());
    for (std::size_t rank = 0; rank < sorted.size(); ++rank) {
        ranks[sorted[rank]] = static_cast<std::uint32_t>(rank);
        to.values.append(dictionary.values()[sorted[rank]]);
    }
    to.sizes.push_back(sorted.size());
    const auto behind = static_cast<std::uint32_t>(sorted.size());
    for (std::size_t row = 0; row < num_rows; ++row) {
        codes[row] = codes[row] == missing_code ? behind : ranks[codes[row]];
    }
}

// Columns that are written a row at a time. Some rows are held and go there together: every column is another page of
// memory.
template <typename T>
class Columns {
   public:
    Columns(T* columns, std::size_t num_columns, std::size_t num_rows)
        : columns_(columns), num_columns_(num_columns), num_rows_(num_rows), held_(num_columns * most_held) {}

    // Of the row that is being written.
    T& operator[](std::size_t column) { return held_[column * most_held + num_held_]; }

    void end_row() {
        if (++num_held_ == most_held) write();
    }

    // Call it after the last row.
    void write() {
        for (std::size_t i = 0; i < num_columns_; ++i) {
            std::copy_n(&held_[i * most_held], num_held_, columns_ + i * num_rows_ + num_written_);
        }
        num_written_ += num_held_;
        num_held_ = 0;
    }

   private:
    static constexpr std::size_t most_held = 64;

    T* columns_;
    std::size_t num_columns_;
    std::size_t num_rows_;
    std::vector<T> held_;  // [columns, most_held]
    std::size_t num_held_ = 0;
    std::size_t num_written_ = 0;
};

}  // namespace

// Codes one row after another, each a row behind its query, so that memory has answered.
class LineCoder::Rows {
   public:
    Rows(const LineCoder& coder, const CodedColumns& to)
        : coder_(coder),
          numbers_(to.logarithms, coder.num_dense(), to.num_rows),
          codes_(to.codes, coder.num_fields(), to.num_rows),
          label_(to.label),
          keys_(coder.num_fields()) {
        for (std::size_t i = 0; i < keys_.size(); ++i) dictionaries_.emplace_back(field_seed(i));
    }

    // False where the line is not clean.
    bool add(const Line& line) {
        if (!read_label(line) || !read_numbers(line)) return false;
        if (num_rows_ > 0) code();
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            keys_[i] = dictionaries_[i].query(line.column(coder_.layout_.field_columns[i]));
        }
        ++num_rows_;
        return true;
    }

    // Call it after the last row.
    const std::vector<Dictionary>& finish() {
        if (num_rows_ > 0) code();
        numbers_.write();
        codes_.write();
        return dictionaries_;
    }

   private:
    bool read_label(const Line& line) {
        const Value value = line.column(coder_.label_column_);
        if (value.size != 1 || (*value.data != '0' && *value.data != '1')) return false;
        label_[num_rows_] = static_cast<std::uint8_t>(*value.data - '0');
        return true;
    }

    bool read_numbers(const Line& line) {
        for (std::size_t i = 0; i < coder_.num_dense(); ++i) {
            const Value value = line.column(coder_.layout_.dense_columns[i]);
            if (value.size == 0) {
                numbers_[i] = std::numeric_limits<float>::quiet_NaN();
            } else if (!coder_.logarithms_.read(value, numbers_[i])) {
                return false;
            }
        }
        numbers_.end_row();
        return true;
    }

    void code() {
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            codes_[i] = keys_[i].size == 0 ? missing_code : dictionaries_[i].code(keys_[i]);
        }
        codes_.end_row();
    }

    const LineCoder& coder_;
    Columns<float> numbers_;
    Columns<std::uint32_t> codes_;
    std::uint8_t* label_;
    std::vector<Dictionary> dictionaries_;
    std::vector<Key> keys_;
    std::size_t num_rows_ = 0;
};

LineCoder::LineCoder(LineLayout layout, std::uint32_t label_column)
    : layout_(std::move(layout)), label_column_(label_column) {}

bool LineCoder::code(const char* text, std::size_t size, const CodedColumns& to, Dictionaries& found) const {
    Rows rows(*this, to);
    const auto take = [&](const Line& line) { return rows.add(line); };
    const Parsed parsed = read_lines(text, size, layout_.separator, layout_.num_columns, to.num_rows, take);
    if (parsed.num_rows < to.num_rows || parsed.end < size) return false;
    const std::vector<Dictionary>& dictionaries = rows.finish();
    for (std::size_t i = 0; i < dictionaries.size(); ++i) {
        sort_codes(dictionaries[i], to.codes + i * to.num_rows, to.num_rows, found);
    }
    return true;
}

}  // namespace farthing
