// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace ringside {

// The text as Node's Buffer.toString('utf8') reads it, in UTF-8 again: each maximal part of a broken sequence becomes
// U+FFFD (Unicode 15, 3.9, U+FFFD Substitution of Maximal Subparts; the same as the WHATWG's decoder).
// What is well-formed is returned as it is, the rest is made in `scratch`, at most three times as long.
std::string_view WellFormed(std::string_view bytes, std::string& scratch);

}  // namespace ringside
