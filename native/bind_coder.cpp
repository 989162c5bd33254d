#include <nanobind/stl/vector.h>

#include <memory>
#include <utility>

#include "arrow.hpp"
#include "bind_lines.hpp"
#include "coder.hpp"

namespace nb = nanobind;

namespace farthing {
namespace {

// What polars makes a column of.
struct SharedStrings {
    std::shared_ptr<const Strings> strings;
};

void init(LineCoder* self, char separator, std::size_t num_columns, std::uint32_t label_column,
          ColumnNumbers dense_columns, ColumnNumbers field_columns) {
    LineLayout layout = checked_layout(separator, num_columns, dense_columns, field_columns);
    check(label_column < num_columns, "a column is not one of the line's");
    new (self) LineCoder(std::move(layout), label_column);
}

// (values per field, all values), or None where a line is not clean.
nb::object code(const LineCoder& self, nb::bytes text, Array<std::uint8_t, nb::ndim<1>> label,
                Array<float, nb::ndim<2>> logarithms, Array<std::uint32_t, nb::ndim<2>> codes) {
    const std::size_t rows = label.shape(0);
    check(logarithms.shape(0) == self.num_dense() && logarithms.shape(1) == rows, "logarithms must be [numbers, rows]");
    check(codes.shape(0) == self.num_fields() && codes.shape(1) == rows, "codes must be [fields, rows]");
    check_aligned(logarithms, codes);
    check_apart(label, logarithms, codes);
    check_apart(logarithms, codes);
    Dictionaries dictionaries;
    bool is_clean;
    {
        const CodedColumns to{rows, label.data(), logarithms.data(), codes.data()};
        const char* data = text.c_str();
        const std::size_t size = text.size();
        const nb::gil_scoped_release unlocked;
        is_clean = self.code(data, size, to, dictionaries);
    }
    if (!is_clean) return nb::none();
    auto values = std::make_shared<const Strings>(std::move(dictionaries.values));
    return nb::make_tuple(nb::cast(dictionaries.sizes), nb::cast(SharedStrings{std::move(values)}));
}

}  // namespace

void bind_coder(nb::module_& module) {
    nb::class_<SharedStrings>(module, "Strings", "Texts that other libraries take over by Arrow's C data interface.")
        .def(
            "__arrow_c_array__",
            [](const SharedStrings& self, nb::handle) { return arrow_capsules(self.strings); },
            nb::arg("requested_schema").none() = nb::none());
    nb::class_<LineCoder>(module, "LineCoder", "Clean lines of a click log to labels, numbers and codes.")
        .def("__init__", &init, nb::kw_only(), nb::arg("separator"), nb::arg("num_columns"), nb::arg("label_column"),
             nb::arg("dense_columns").noconvert(), nb::arg("field_columns").noconvert())
        .def("code", &code, nb::arg("text"), nb::arg("label").noconvert(), nb::arg("logarithms").noconvert(),
             nb::arg("codes").noconvert(),
             "Fills the columns, as many rows as they have; (values per field, all values), or None where a line is not "
             "clean.");
}

}  // namespace farthing
