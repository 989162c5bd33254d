# The part of native/ that knows nothing of Python, for the extension and for tests/native: `kernel_sources` and the flags
# of each file.
#
# Everything is compiled for the baseline of its architecture; only tier_*.cpp get instruction-set flags, one tier per file
# (ARCHITECTURE.md, "Runtime dispatch").
set(native ${CMAKE_CURRENT_LIST_DIR})
set(tiers ${native}/tier_scalar.cpp ${native}/tier_avx2.cpp ${native}/tier_avx512.cpp ${native}/tier_neon.cpp)
set(kernel_sources
  ${native}/bags.cpp ${native}/clicks.cpp ${native}/coder.cpp ${native}/conv.cpp ${native}/dictionary.cpp
  ${native}/dispatch.cpp ${native}/im2col.cpp ${native}/memory.cpp ${native}/numbers.cpp ${native}/octets.cpp
  ${native}/pool.cpp ${native}/product.cpp ${native}/ranker.cpp ${native}/signs.cpp ${native}/vocabulary.cpp
  ${tiers})

# The compiler must neither fuse a multiplication with an addition behind our back nor vectorise the definition. Sums stay
# in the order they are written in: in another one they need more registers than there are (measured: a third slower).
set_property(SOURCE ${kernel_sources} APPEND PROPERTY COMPILE_OPTIONS -ffp-contract=off)
set_property(SOURCE ${tiers} APPEND PROPERTY COMPILE_OPTIONS -fno-tree-reassoc)
set_property(SOURCE ${native}/tier_scalar.cpp APPEND PROPERTY COMPILE_OPTIONS -fno-tree-vectorize)
set_property(SOURCE ${native}/tier_avx2.cpp APPEND PROPERTY COMPILE_OPTIONS -mavx2 -mfma -mbmi2)
set_property(SOURCE ${native}/tier_avx512.cpp APPEND PROPERTY COMPILE_OPTIONS
             -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx2 -mfma -mbmi2
             -Wno-uninitialized -Wno-maybe-uninitialized)  # what GCC 12 says of its own _mm512_undefined_ps, gcc.gnu.org/PR105593
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(other_tiers ${native}/tier_avx2.cpp ${native}/tier_avx512.cpp)
else()
  set(other_tiers ${native}/tier_neon.cpp)
endif()
set_property(SOURCE ${other_tiers} PROPERTY HEADER_FILE_ONLY ON)

find_package(Threads REQUIRED)

# For tests only (`make sanitize`): what reads or writes outside, or does what C++ leaves undefined, ends the process.
option(FARTHING_SANITIZE "Compile with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
if(FARTHING_SANITIZE)
  add_compile_options(-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
