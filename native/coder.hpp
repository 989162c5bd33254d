// Lines of a click log to labels, numbers, and codes into dictionaries of their own: what `prepare` reads first, when
// nobody knows yet which values there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lines.hpp"
#include "logarithms.hpp"
#include "strings.hpp"

namespace farthing {

// Rows, a column after the other.
struct CodedColumns {
    std::size_t num_rows;
    std::uint8_t* label;   // [rows], 0 or 1
    float* logarithms;     // [numbers, rows], NaN where one is missing
    std::uint32_t* codes;  // [fields, rows]; a missing value has the code behind the field's last
};

// The values that columns of codes mean.
struct Dictionaries {
    std::vector<std::size_t> sizes;  // [fields]
    Strings values;                  // of one field after the other, ascending by their bytes
};

class LineCoder {
   public:
    LineCoder(LineLayout layout, std::uint32_t label_column);

    std::size_t num_dense() const noexcept { return layout_.dense_columns.size(); }
    std::size_t num_fields() const noexcept { return layout_.field_columns.size(); }

    // Reads so many lines. False, with columns of no meaning, where one is not clean: it has another number of columns or
    // a label that is neither 0 nor 1, or one of its numbers is none. Throws std::bad_alloc.
    bool code(const char* text, std::size_t size, const CodedColumns& to, Dictionaries& found) const;

   private:
    class Rows;

    LineLayout layout_;
    std::uint32_t label_column_;
    Logarithms logarithms_;
};

}  // namespace farthing
