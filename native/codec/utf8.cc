// SPDX-License-Identifier: Apache-2.0
#include "utf8.h"

#include <cstdint>
#include <cstring>

namespace ringside {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

size_t AsciiPrefix(std::string_view bytes) {
  size_t at = 0;
  for (; bytes.size() - at >= 8; at += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    if ((word & 0x8080808080808080) != 0) break;
  }
  while (at < bytes.size() && static_cast<uint8_t>(bytes[at]) < 0x80) at++;
  return at;
}

struct Sequence {
  size_t bytes;
  bool is_whole;
};

// The sequence at the start of the bytes, or the maximal part of one (Unicode 15, table 3-7).
Sequence First(std::string_view bytes) {
  const auto lead = static_cast<uint8_t>(bytes[0]);
  size_t length = 0;
  uint8_t low = 0x80, high = 0xbf;
  if (lead < 0x80) length = 1;
  if (lead >= 0xc2 && lead <= 0xdf) length = 2;
  if (lead >= 0xe0 && lead <= 0xef) length = 3;
  if (lead >= 0xf0 && lead <= 0xf4) length = 4;
  if (lead == 0xe0) low = 0xa0;
  if (lead == 0xed) high = 0x9f;
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;
  if (length == 0) return {1, false};
  for (size_t at = 1; at < length; at++) {
    if (at == bytes.size()) return {at, false};
    const auto next = static_cast<uint8_t>(bytes[at]);
    if (next < low || next > high) return {at, false};
    low = 0x80;
    high = 0xbf;
  }
  return {length, true};
}

}  // namespace

std::string_view WellFormed(std::string_view bytes, std::string& scratch) {
  size_t at = AsciiPrefix(bytes);
  if (at == bytes.size()) return bytes;
  scratch.assign(bytes.substr(0, at));
  while (at < bytes.size()) {
    const Sequence sequence = First(bytes.substr(at));
    scratch += sequence.is_whole ? bytes.substr(at, sequence.bytes) : kReplacement;
    at += sequence.bytes;
  }
  return scratch;
}

}  // namespace ringside
