// What the kernels are compared on: each function draws arguments, calls kernels of the tier in use, and gives their output.
// Arrays are no longer than they must be, so that AddressSanitizer sees a kernel that reads or writes beyond.
#pragma once

#include "random.hpp"

namespace cases {

Output quantize(Random& random);
Output pack_signs(Random& random);
Output linear(Random& random);
Output signs(Random& random);
Output bags(Random& random);
Output conv(Random& random);
Output find_marks(Random& random);
Output interact(Random& random);

}  // namespace cases
