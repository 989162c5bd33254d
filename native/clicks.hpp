// Lines of a click log to the numbers and ids that a model reads, for lines that are beyond doubt.
//
// A line is clean if it has the right number of fields, every numeric field is empty or a number that `read_float` takes,
// and it does not end in a carriage return. Parsing stops before the first line that is not; what to make of that one,
// and of quotes, byte order marks and text that is not UTF-8, the caller decides.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "vocabulary.hpp"

namespace farthing {

// Where the features of a row stand in a line.
struct LineLayout {
    char separator;
    std::size_t num_columns;                   // of a line, at least 1
    std::vector<std::uint32_t> dense_columns;  // position of each number
    std::vector<std::uint32_t> field_columns;  // position of each categorical value
};

// A number x becomes (l - mean) / deviation with l = sign(x) log(1 + |x|); a missing one 0.
struct Standardisation {
    std::vector<double> means;
    std::vector<double> inverse_deviations;
};

// How far parsing came.
struct Parsed {
    std::size_t num_rows;
    std::size_t end;  // of their lines in the text, bytes
};

class ClickParser {
   public:
    // Looks ids up; `table_rows` has the ids of each field, reserved ones included. All fields share one table, in which
    // the rows of a field follow those of the fields before it.
    ClickParser(LineLayout layout, Standardisation standardisation, std::vector<Vocabulary> vocabularies,
                std::vector<std::uint64_t> table_rows);
    ClickParser(const ClickParser&) = delete;
    ClickParser& operator=(const ClickParser&) = delete;

    char separator() const noexcept { return layout_.separator; }
    std::size_t num_columns() const noexcept { return layout_.num_columns; }
    std::size_t num_dense() const noexcept { return layout_.dense_columns.size(); }
    std::size_t num_fields() const noexcept { return layout_.field_columns.size(); }

    // Writes up to `max_rows` rows: dense [rows, num_dense] and ids [rows, num_fields]. Throws std::bad_alloc, before it
    // writes anything. Ids are looked up, or, without vocabularies, hashed: 2 + hash * (rows of the table - 2) / 2^64.
    Parsed parse(const char* text, std::size_t size, std::size_t max_rows, float* dense, std::int64_t* ids) const;

   private:
    // A line of the window `text`; its columns end at ends[0], ends[1], ..., and the line before at ends[-1].
    struct Line {
        const char* text;    // what may be read starts here
        const char* window;
        const std::uint32_t* ends;
    };

    template <bool is_hashed>
    Parsed parse_as(const char* text, std::size_t size, std::size_t max_rows, float* dense, std::int64_t* ids) const;
    bool is_whole(const Line& line) const noexcept;
    bool read_numbers(const Line& line, float* dense) const noexcept;
    void hash_ids(const Line& line, std::int64_t* ids) const noexcept;
    void query(const Line& line, Vocabulary::Query* row) const noexcept;
    void look_up(const Vocabulary::Query* row, std::int64_t* ids) const noexcept;
    float log_of(std::uint32_t number) const noexcept;

    LineLayout layout_;
    Standardisation standardisation_;
    std::vector<Vocabulary> vocabularies_;
    std::vector<std::uint64_t> table_rows_;
    std::vector<std::uint64_t> first_rows_;
    std::array<float, 4096> logs_;  // log(1 + n) for the small counts that most numbers of a log are
};

}  // namespace farthing
