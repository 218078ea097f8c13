// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace ringside {

// The UTF-8 of the text that Node's Buffer.toString('utf8') returns: each maximal part of a broken sequence becomes
// U+FFFD (Unicode 15, 3.9, U+FFFD Substitution of Maximal Subparts; the same as the WHATWG's decoder).
// Well-formed bytes are returned as they are. Others are rewritten in `scratch`, at most three times as long.
std::string_view WellFormed(std::string_view bytes, std::string& scratch);

}  // namespace ringside
