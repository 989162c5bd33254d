#include "coder.hpp"

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

// The codes of one row after another, each a row behind its query, so that memory has answered.
class RowCodes {
   public:
    RowCodes(std::vector<Dictionary>& dictionaries, std::uint32_t* codes, std::size_t num_rows)
        : dictionaries_(dictionaries), codes_(codes), num_rows_(num_rows), keys_(dictionaries.size()) {}

    void add(const Line& line, const std::vector<std::uint32_t>& columns, std::size_t row) {
        if (row > 0) write(row - 1);
        for (std::size_t i = 0; i < keys_.size(); ++i) keys_[i] = dictionaries_[i].query(line.column(columns[i]));
    }

    void write(std::size_t row) {
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            codes_[i * num_rows_ + row] = keys_[i].size == 0 ? missing_code : dictionaries_[i].code(keys_[i]);
        }
    }

   private:
    std::vector<Dictionary>& dictionaries_;
    std::uint32_t* codes_;
    std::size_t num_rows_;
    std::vector<Key> keys_;
};

}  // namespace

LineCoder::LineCoder(LineLayout layout, std::uint32_t label_column)
    : layout_(std::move(layout)), label_column_(label_column) {}

bool LineCoder::code(const char* text, std::size_t size, const CodedColumns& to, Dictionaries& dictionaries) const {
    std::vector<Dictionary> fields;
    for (std::size_t i = 0; i < num_fields(); ++i) fields.emplace_back(field_seed(i));
    RowCodes codes(fields, to.codes, to.num_rows);
    std::size_t row = 0;
    const auto take = [&](const Line& line) {
        if (!read_label(line, to.label[row]) || !read_numbers(line, row, to)) return false;
        codes.add(line, layout_.field_columns, row);
        ++row;
        return true;
    };
    const Parsed parsed = read_lines(text, size, layout_.separator, layout_.num_columns, to.num_rows, take);
    if (row < to.num_rows || parsed.end < size) return false;
    if (row > 0) codes.write(row - 1);
    for (std::size_t i = 0; i < fields.size(); ++i) {
        sort_codes(fields[i], to.codes + i * to.num_rows, to.num_rows, dictionaries);
    }
    return true;
}

bool LineCoder::read_label(const Line& line, std::uint8_t& label) const noexcept {
    const Value value = line.column(label_column_);
    if (value.size != 1 || (*value.data != '0' && *value.data != '1')) return false;
    label = static_cast<std::uint8_t>(*value.data - '0');
    return true;
}

bool LineCoder::read_numbers(const Line& line, std::size_t row, const CodedColumns& to) const noexcept {
    for (std::size_t i = 0; i < num_dense(); ++i) {
        const Value value = line.column(layout_.dense_columns[i]);
        float& log = to.logarithms[i * to.num_rows + row];
        if (value.size == 0) {
            log = std::numeric_limits<float>::quiet_NaN();
        } else if (!logarithms_.read(value, log)) {
            return false;
        }
    }
    return true;
}

}  // namespace farthing
