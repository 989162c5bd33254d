#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bind.hpp"
#include "clicks.hpp"

namespace nb = nanobind;

namespace farthing {
namespace {

// The columns of one row as text. Numbers have their digits here, strings in the Python object.
class Fields {
   public:
    explicit Fields(std::size_t num_columns) : texts_(num_columns), digits_(num_columns) {}

    // Empty columns, or those of `shared`, which must outlive this row.
    void reset(const Fields* shared) {
        if (shared) texts_ = shared->texts_;
        else std::fill(texts_.begin(), texts_.end(), std::string_view{});
    }

    // Sets the columns that a row names; false where it has something that only the caller understands.
    bool read(PyObject* row, PyObject* positions, char separator) {
        Py_ssize_t entry = 0;
        PyObject *name, *value;
        while (PyDict_Next(row, &entry, &name, &value)) {
            PyObject* position = PyDict_GetItemWithError(positions, name);
            if (position == nullptr) return false;
            const long column = PyLong_AsLong(position);
            if (column < 0) continue;
            if (!set(static_cast<std::size_t>(column), value, separator)) return false;
        }
        return true;
    }

    void write(std::string& line, char separator) const {
        for (const std::string_view text : texts_) {
            line += text;
            line += separator;
        }
        line.back() = '\n';
    }

   private:
    bool set(std::size_t column, PyObject* value, char separator) {
        std::string_view& text = texts_[column];
        if (PyUnicode_CheckExact(value)) return set_string(text, value, separator);
        std::array<char, 24>& digits = digits_[column];
        if (value == Py_None) {
            text = {};
        } else if (PyLong_Check(value)) {  // a bool, too: 1 or 0
            int overflow = 0;
            const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
            if (overflow != 0) return false;
            char* end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
            text = {digits.data(), static_cast<std::size_t>(end - digits.data())};
        } else if (PyFloat_CheckExact(value)) {
            char* repr = PyOS_double_to_string(PyFloat_AS_DOUBLE(value), 'r', 0, Py_DTSF_ADD_DOT_0, nullptr);
            const std::size_t size = repr ? std::strlen(repr) : 0;
            const bool fits = repr && size <= digits.size();
            if (fits) text = {static_cast<char*>(std::memcpy(digits.data(), repr, size)), size};
            PyMem_Free(repr);
            return fits;
        } else {
            return false;
        }
        return true;
    }

    static bool set_string(std::string_view& text, PyObject* value, char separator) {
        Py_ssize_t size = 0;
        const char* data = PyUnicode_AsUTF8AndSize(value, &size);
        if (data == nullptr) return false;
        text = {data, static_cast<std::size_t>(size)};
        return std::none_of(text.begin(), text.end(), [=](char c) { return c == separator || c == '\n' || c == '\r'; });
    }

    std::vector<std::string_view> texts_;
    std::vector<std::array<char, 24>> digits_;
};

// The rows as lines; empty where one has something that only the caller understands.
std::string lines_of(nb::list rows, nb::dict context, nb::dict positions, char separator, std::size_t num_columns) {
    Fields shared(num_columns), row(num_columns);
    std::string lines;
    if (!shared.read(context.ptr(), positions.ptr(), separator)) return {};
    for (const nb::handle one : rows) {
        row.reset(&shared);
        if (!PyDict_CheckExact(one.ptr()) || !row.read(one.ptr(), positions.ptr(), separator)) return {};
        row.write(lines, separator);
    }
    return lines;
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
    const std::string lines = lines_of(rows, context, positions, self.separator(), self.num_columns());
    if (PyErr_Occurred()) PyErr_Clear();  // a name or a text of which the caller must make sense
    const nb::gil_scoped_release unlocked;
    return self.parse(lines.data(), lines.size(), num_rows, dense.data(), ids.data()).num_rows == num_rows;
}

}  // namespace

void bind_rows(nb::module_& module) {
    module.def("encode_rows", &encode_rows, nb::arg("parser"), nb::arg("rows"), nb::arg("context"), nb::arg("positions"),
               nb::arg("dense").noconvert(), nb::arg("ids").noconvert(),
               "Fills a row for each dict of values by name, over those of the context; False where one is in doubt. "
               "`positions` has the column of each name, -1 for one to pass over.");
}

}  // namespace farthing
