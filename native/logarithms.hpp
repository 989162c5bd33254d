// Numbers in text, as models read them: sign(x) log(1 + |x|).
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "numbers.hpp"

namespace farthing {

class Logarithms {
   public:
    Logarithms() {
        for (std::size_t n = 0; n < known_.size(); ++n) known_[n] = std::log1p(static_cast<float>(n));
    }

    // False where a value, which is not empty, is no number that `read_float` takes.
    bool read(Value value, float& log) const noexcept {
        const bool is_negative = *value.data == '-';
        const Value magnitude{value.text, value.data + is_negative, value.size - is_negative};
        if (std::uint32_t number; magnitude.size - 1 < 8 && read_digits(magnitude, number)) {
            log = is_negative ? -of(number) : of(number);
            return true;
        }
        float real;
        if (!read_float(value, real)) return false;
        log = std::copysign(std::log1p(std::abs(real)), real);
        return true;
    }

   private:
    float of(std::uint32_t number) const noexcept {
        return number < known_.size() ? known_[number] : std::log1p(static_cast<float>(number));
    }

    std::array<float, 4096> known_;  // of the small counts that most numbers of a log are
};

}  // namespace farthing
