#include <cmath>
#include <numeric>
#include <utility>

#include "bind_lines.hpp"
#include "clicks.hpp"

namespace nb = nanobind;

namespace farthing {
namespace {

template <typename T>
using Vector = Array<const T, nb::ndim<1>>;

Standardisation checked_standardisation(Vector<double> means, Vector<double> deviations, std::size_t num_dense) {
    if (means.size() != num_dense || deviations.size() != num_dense) {
        throw nb::value_error("means and deviations must be as many as the dense columns");
    }
    Standardisation result;
    for (std::size_t i = 0; i < num_dense; ++i) {
        if (!std::isfinite(means(i)) || !std::isfinite(1.0 / deviations(i)) || deviations(i) < 0.0) {
            throw nb::value_error("means must be finite and deviations above 0");
        }
        result.means.push_back(means(i));
        result.inverse_deviations.push_back(1.0 / deviations(i));
    }
    return result;
}

std::vector<std::uint64_t> checked_rows(Vector<std::uint64_t> table_rows, std::size_t num_fields, bool is_hashed) {
    const std::uint64_t fewest = num_reserved_ids + is_hashed;
    if (table_rows.size() != num_fields) throw nb::value_error("table_rows must be as many as the field columns");
    for (std::size_t i = 0; i < num_fields; ++i) {
        if (table_rows(i) < fewest || table_rows(i) > UINT32_MAX) {
            throw nb::value_error("a table must have a row for each reserved id, one more if hashed, and below 2^32");
        }
    }
    return {table_rows.data(), table_rows.data() + num_fields};
}

std::vector<Vocabulary> checked_vocabularies(const std::vector<std::uint64_t>& table_rows, nb::bytes text,
                                             Vector<std::uint32_t> sizes) {
    std::uint64_t num_values = 0;
    for (const std::uint64_t rows : table_rows) num_values += rows - num_reserved_ids;
    if (sizes.size() != num_values) throw nb::value_error("sizes must be as many as the values of all tables");
    const std::uint64_t num_bytes = std::accumulate(sizes.data(), sizes.data() + sizes.size(), std::uint64_t{0});
    if (text.size() != num_bytes) throw nb::value_error("text must be as long as its values");
    const char* values = text.c_str();
    const std::uint32_t* next = sizes.data();
    std::vector<Vocabulary> vocabularies;
    const nb::gil_scoped_release unlocked;
    for (std::size_t field = 0; field < table_rows.size(); ++field) {
        const std::size_t count = table_rows[field] - num_reserved_ids;
        vocabularies.emplace_back(values, next, count, field_seed(field));
        values = std::accumulate(next, next + count, values);
        next += count;
    }
    return vocabularies;
}

void init(ClickParser* self, char separator, std::size_t num_columns, ColumnNumbers dense_columns,
          ColumnNumbers field_columns, Vector<double> means, Vector<double> deviations,
          Vector<std::uint64_t> table_rows, nb::bytes text, Vector<std::uint32_t> sizes, bool is_hashed) {
    check_aligned(means, deviations, table_rows, sizes);
    LineLayout layout = checked_layout(separator, num_columns, dense_columns, field_columns);
    Standardisation numbers = checked_standardisation(means, deviations, dense_columns.size());
    std::vector<std::uint64_t> rows = checked_rows(table_rows, field_columns.size(), is_hashed);
    std::vector<Vocabulary> vocabularies;
    if (!is_hashed) vocabularies = checked_vocabularies(rows, text, sizes);
    new (self) ClickParser(std::move(layout), std::move(numbers), std::move(vocabularies), std::move(rows));
}

nb::tuple parse(const ClickParser& self, nb::bytes text, std::size_t start, Array<float, nb::ndim<2>> dense,
                Array<std::int64_t, nb::ndim<2>> ids) {
    if (start > text.size()) throw nb::value_error("start is behind the end of text");
    if (dense.shape(1) != self.num_dense() || ids.shape(1) != self.num_fields() || dense.shape(0) != ids.shape(0)) {
        throw nb::value_error("dense must be [rows, numbers] and ids [rows, fields]");
    }
    check_aligned(dense, ids);
    check_apart(dense, ids);
    Parsed parsed;
    {
        const char* data = text.c_str() + start;
        const nb::gil_scoped_release unlocked;
        parsed = self.parse(self.all(), data, text.size() - start, dense.shape(0), dense.data(), ids.data());
    }
    return nb::make_tuple(parsed.num_rows, start + parsed.end);
}

}  // namespace

void bind_clicks(nb::module_& module) {
    nb::class_<ClickParser>(module, "ClickParser", "Clean lines of a click log to standardised numbers and table rows.")
        .def("__init__", &init, nb::kw_only(), nb::arg("separator"), nb::arg("num_columns"),
             nb::arg("dense_columns").noconvert(), nb::arg("field_columns").noconvert(), nb::arg("means").noconvert(),
             nb::arg("deviations").noconvert(), nb::arg("table_rows").noconvert(), nb::arg("text"),
             nb::arg("sizes").noconvert(), nb::arg("is_hashed"),
             "Values of all fields stand one after the other in `text`; hashed ids need none.")
        .def("parse", &parse, nb::arg("text"), nb::arg("start"), nb::arg("dense").noconvert(),
             nb::arg("ids").noconvert(),
             "Fills rows from `start` on, up to the first line that is not clean; (number of rows, where they end).");
}

}  // namespace farthing
