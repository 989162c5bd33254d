// Rows of a request as text, column by column.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "bind.hpp"

namespace farthing {

namespace nb = nanobind;

// What columns are called. The rows of a request mostly have the same names, in the same order, as the same objects: then
// nothing is looked up.
class Names {
   public:
    explicit Names(nb::dict positions) : positions_(positions) { known_.reserve(positions.size()); }

    // The column of a name, which is entry number `entry` of a row, or -1 for one to pass over; false for an unknown one.
    // Names must outlive this.
    bool find(PyObject* name, std::size_t entry, long& column) {
        if (entry < known_.size() && known_[entry].name == name) {
            column = known_[entry].column;
            return true;
        }
        if (!PyUnicode_CheckExact(name)) return false;
        PyObject* position = PyDict_GetItemWithError(positions_.ptr(), name);
        if (position == nullptr) return false;
        column = PyLong_AsLong(position);
        if (entry >= known_.size()) known_.resize(entry + 1);
        known_[entry] = {name, column};
        return true;
    }

   private:
    struct Known {
        PyObject* name;
        long column;
    };

    nb::dict positions_;
    std::vector<Known> known_;
};

using Columns = std::vector<std::size_t>;  // in ascending order

// The columns of one row as text. Numbers have their digits here, strings in the Python object.
class Fields {
   public:
    explicit Fields(std::size_t num_columns) : texts_(num_columns), digits_(num_columns), is_named_(num_columns) {}

    // The columns of `shared`, which must outlive this row.
    void reset(const Fields& shared) { texts_ = shared.texts_; }

    // Sets the columns that a row names; false where it has something that only the caller understands.
    bool read(PyObject* row, Names& names, char separator) {
        Py_ssize_t next = 0;
        PyObject *name, *value;
        for (std::size_t entry = 0; PyDict_Next(row, &next, &name, &value); ++entry) {
            long column;
            const bool is_known = names.find(name, entry, column);
            if (is_known && (column < 0 || set(static_cast<std::size_t>(column), value, separator))) continue;
            PyErr_Clear();  // a name or a text of which the caller must make sense
            return false;
        }
        return true;
    }

    // The columns that rows named since this was made.
    Columns named() const {
        Columns columns;
        columns.reserve(is_named_.size());
        for (std::size_t column = 0; column < is_named_.size(); ++column) {
            if (is_named_[column]) columns.push_back(column);
        }
        return columns;
    }

    // Adds a line of at least one column.
    void write(std::string& line, const Columns& columns, char separator) const {
        for (const std::size_t column : columns) {
            line += texts_[column];
            line += separator;
        }
        line.back() = '\n';
    }

   private:
    bool set(std::size_t column, PyObject* value, char separator) {
        is_named_[column] = true;
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
    std::vector<bool> is_named_;
};

}  // namespace farthing
