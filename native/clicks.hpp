// Lines of a click log to the numbers and ids that a model reads, for lines that are beyond doubt.
//
// A line is clean if it has the right number of fields, every numeric field is empty or a number that `read_float` takes,
// and it does not end in a carriage return. Parsing stops before the first line that is not; what to make of that one,
// and of quotes, byte order marks and text that is not UTF-8, the caller decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lines.hpp"
#include "logarithms.hpp"
#include "vocabulary.hpp"

namespace farthing {

// Numbers, or categorical values: which ones of a row, and in which columns of a line.
struct Features {
    std::vector<std::uint32_t> places;
    std::vector<std::uint32_t> columns;

    std::size_t size() const noexcept { return columns.size(); }

    // All features of a row are in their places, which saves reading where.
    template <bool has_all>
    std::size_t place(std::size_t i) const noexcept {
        return has_all ? i : places[i];
    }
};

// Lines of which some columns may be left out.
struct LineColumns {
    std::size_t count;  // of those that a line has
    Features dense;
    Features fields;
    bool has_all;
};

// A number x becomes (l - mean) / deviation with l = sign(x) log(1 + |x|); a missing one 0.
struct Standardisation {
    std::vector<double> means;
    std::vector<double> inverse_deviations;
};

class ClickParser {
   public:
    // Looks ids up; `table_rows` has the ids of each field, reserved ones included. All fields share one table, in which
    // the rows of a field follow those of the fields before it.
    ClickParser(LineLayout layout, Standardisation standardisation, std::vector<Vocabulary> vocabularies,
                std::vector<std::uint64_t> table_rows);
    ClickParser(const ClickParser&) = delete;
    ClickParser& operator=(const ClickParser&) = delete;

    char separator() const noexcept { return separator_; }
    std::size_t num_columns() const noexcept { return all_.count; }
    std::size_t num_dense() const noexcept { return all_.dense.size(); }
    std::size_t num_fields() const noexcept { return all_.fields.size(); }

    // All columns of a line, and those of lines that have only some of them, in ascending order. Throws std::bad_alloc.
    const LineColumns& all() const noexcept { return all_; }
    LineColumns some(const std::vector<std::size_t>& columns) const;

    // Writes up to `max_rows` rows: dense [rows, num_dense] and ids [rows, num_fields], but for what the columns leave out.
    // Throws std::bad_alloc, before it writes anything. Ids are looked up, or, without vocabularies, hashed: 2 + hash *
    // (rows of the table - 2) / 2^64.
    Parsed parse(const LineColumns& columns, const char* text, std::size_t size, std::size_t max_rows, float* dense,
                 std::int64_t* ids) const;

   private:
    template <bool is_hashed, bool has_all>
    Parsed parse_as(const LineColumns& columns, const char* text, std::size_t size, std::size_t max_rows, float* dense,
                    std::int64_t* ids) const;
    template <bool has_all>
    bool read_numbers(const Features& numbers, const Line& line, float* dense) const noexcept;
    template <bool has_all>
    void hash_ids(const Features& fields, const Line& line, std::int64_t* ids) const noexcept;
    template <bool has_all>
    void query(const Features& fields, const Line& line, Key* row) const noexcept;
    template <bool has_all>
    void look_up(const Features& fields, const Key* row, std::int64_t* ids) const noexcept;

    char separator_;
    LineColumns all_;
    Standardisation standardisation_;
    std::vector<Vocabulary> vocabularies_;
    std::vector<std::uint64_t> table_rows_;
    std::vector<std::uint64_t> first_rows_;
    Logarithms logarithms_;
};

}  // namespace farthing
