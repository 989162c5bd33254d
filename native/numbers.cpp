#include "numbers.hpp"

#include <charconv>
#include <system_error>

namespace farthing {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool read_float(Value value, float& number) noexcept {
    const char* begin = value.data;
    const char* end = value.data + value.size;
    const char* first = begin != end && *begin == '-' ? begin + 1 : begin;
    // With a digit at both ends, what else std::from_chars takes is `5.e5`.
    if (first == end || !is_digit(*first) || !is_digit(end[-1])) return false;
    for (const char* dot = first; dot != end; ++dot) {
        if (*dot == '.' && !is_digit(dot[1])) return false;
    }
    const std::from_chars_result read = std::from_chars(begin, end, number);
    return read.ec == std::errc() && read.ptr == end;
}

}  // namespace farthing
