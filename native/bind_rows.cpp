#include <algorithm>
#include <numeric>
#include <string>

#include "bind.hpp"
#include "bind_fields.hpp"
#include "clicks.hpp"

namespace nb = nanobind;

namespace farthing {
namespace {

constexpr std::size_t usual_bytes = 8;  // of a value and its separator

struct Request {
    nb::list rows;
    const Fields& shared;  // what the rows have where they do not say otherwise
    Names& names;
};

struct Encoded {
    float* dense;
    std::int64_t* ids;
};

// Columns of the rows as lines; empty where a row names others, or has something that only the caller understands.
std::string lines_of(const ClickParser& parser, const Request& request, const Columns& columns) {
    Fields row(parser.num_columns());
    std::string lines;
    lines.reserve(request.rows.size() * columns.size() * usual_bytes);
    for (const nb::handle one : request.rows) {
        row.reset(request.shared);
        if (!PyDict_CheckExact(one.ptr()) || !row.read(one.ptr(), request.names, parser.separator())) return {};
        row.write(lines, columns, parser.separator());
    }
    const Columns named = row.named();
    return std::includes(columns.begin(), columns.end(), named.begin(), named.end()) ? lines : std::string{};
}

// The columns that a row names; none where it has something that only the caller understands.
Columns columns_of(const ClickParser& parser, const Request& request, nb::handle row) {
    Fields fields(parser.num_columns());
    const bool is_clear = PyDict_CheckExact(row.ptr()) && fields.read(row.ptr(), request.names, parser.separator());
    return is_clear ? fields.named() : Columns{};
}

// Encodes what the rows share once, and of each row what the first one names; false where that does not do.
bool encode_apart(const ClickParser& parser, const Request& request, const Columns& all, const Encoded& to) {
    const std::size_t num_rows = request.rows.size(), num_dense = parser.num_dense(), num_fields = parser.num_fields();
    if (num_rows < 2) return false;
    const Columns own = columns_of(parser, request, request.rows[0]);
    if (own.empty() || own == all) return false;
    const std::string lines = lines_of(parser, request, own);
    std::string shared;
    request.shared.write(shared, all, parser.separator());
    const nb::gil_scoped_release unlocked;
    if (parser.parse(parser.all(), shared.data(), shared.size(), 1, to.dense, to.ids).num_rows != 1) return false;
    for (std::size_t row = 1; row < num_rows; ++row) {
        std::copy_n(to.dense, num_dense, to.dense + row * num_dense);
        std::copy_n(to.ids, num_fields, to.ids + row * num_fields);
    }
    return parser.parse(parser.some(own), lines.data(), lines.size(), num_rows, to.dense, to.ids).num_rows == num_rows;
}

bool encode_whole(const ClickParser& parser, const Request& request, const Columns& all, const Encoded& to) {
    const std::size_t num_rows = request.rows.size();
    const std::string lines = lines_of(parser, request, all);
    const nb::gil_scoped_release unlocked;
    return parser.parse(parser.all(), lines.data(), lines.size(), num_rows, to.dense, to.ids).num_rows == num_rows;
}

bool encode_rows(const ClickParser& self, nb::list rows, nb::dict context, nb::dict positions,
                 Array<float, nb::ndim<2>> dense, Array<std::int64_t, nb::ndim<2>> ids) {
    const std::size_t num_rows = rows.size();
    check(dense.shape(1) == self.num_dense() && ids.shape(1) == self.num_fields(), "dense and ids must fit the parser");
    check(dense.shape(0) == num_rows && ids.shape(0) == num_rows, "dense and ids must have a row for each of rows");
    for (const auto [_, position] : positions) {
        const long column = PyLong_AsLong(position.ptr());
        check(column >= -1 && column < static_cast<long>(self.num_columns()), "a position must be a column's, or -1");
    }
    check_aligned(dense, ids);
    check_apart(dense, ids);
    Fields shared(self.num_columns());
    Names names(positions);
    Columns all(self.num_columns());
    std::iota(all.begin(), all.end(), std::size_t{0});
    const Encoded to{dense.data(), ids.data()};
    const Request request{rows, shared, names};
    return shared.read(context.ptr(), names, self.separator()) &&
           (encode_apart(self, request, all, to) || encode_whole(self, request, all, to));
}

}  // namespace

void bind_rows(nb::module_& module) {
    module.def("encode_rows", &encode_rows, nb::arg("parser"), nb::arg("rows"), nb::arg("context"), nb::arg("positions"),
               nb::arg("dense").noconvert(), nb::arg("ids").noconvert(),
               "Fills a row for each dict of values by name, over those of the context; False where one is in doubt. "
               "`positions` has the column of each name, -1 for one to pass over.");
}

}  // namespace farthing
