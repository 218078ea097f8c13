// SPDX-License-Identifier: Apache-2.0
// Reads Avro's binary encoding from untrusted bytes. Throws Damage for truncated data and for values that avsc refuses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringside {

struct Damage {
  const char* what;
  // From the start of the message.
  size_t offset;
};

class Input {
 public:
  Input(const uint8_t* bytes, size_t begin, size_t end) : begin_(bytes), at_(bytes + begin), end_(bytes + end) {}

  size_t offset() const { return static_cast<size_t>(at_ - begin_); }

  // long, limited to the integers that a double holds exactly, as in avsc (producer/source/numbers.ts).
  int64_t Long() {
    const uint64_t encoded = Varint();
    const int64_t value = static_cast<int64_t>(encoded >> 1) ^ -static_cast<int64_t>(encoded & 1);
    if (value > kGreatest || value < -kGreatest) Fail("a number beyond 2^53");
    return value;
  }

  int32_t Int() {
    const int64_t value = Long();
    if (value != static_cast<int32_t>(value)) Fail("a number beyond 2^31");
    return static_cast<int32_t>(value);
  }

  // The index of an enum's symbol, or of a union's branch.
  uint32_t Index(uint32_t count) {
    const uint64_t encoded = Varint();
    if ((encoded & 1) != 0 || encoded >> 1 >= count) Fail("no symbol or branch of the schema");
    return static_cast<uint32_t>(encoded >> 1);
  }

  bool Boolean() {
    if (at_ == end_ || *at_ > 1) Fail("no boolean");
    return *at_++ == 1;
  }

  // string or bytes, as a view.
  std::string_view Bytes() {
    const int64_t length = Long();
    if (length < 0 || length > end_ - at_) Fail("text or bytes beyond the end");
    const auto* bytes = reinterpret_cast<const char*>(at_);
    at_ += length;
    return {bytes, static_cast<size_t>(length)};
  }

  // The union ["null", "string"]; data() is null for null.
  std::string_view Optional() { return Index(2) == 0 ? std::string_view() : Bytes(); }

  // The number of items in the next block of an array; 0 at its end. An item takes at least `least` bytes: a count that
  // the message cannot hold fails here, before the caller reserves room for it.
  size_t Block(size_t least) {
    int64_t count = Long();
    if (count < 0) {
      // A negative count is followed by the block's size, which lets readers skip it.
      count = -count;
      const int64_t size = Long();
      if (size < 0 || size > end_ - at_) Fail("a block beyond the end");
    }
    if (static_cast<size_t>(count) > static_cast<size_t>(end_ - at_) / least) Fail("more items than there are bytes");
    return static_cast<size_t>(count);
  }

  [[noreturn]] void Fail(const char* what) const { Throw(what, offset()); }

 private:
  // Static, out of line: the members that decoding uses stay in registers.
  [[noreturn, gnu::noinline, gnu::cold]] static void Throw(const char* what, size_t offset) {
    throw Damage{what, offset};
  }

  static constexpr int64_t kGreatest = (int64_t{1} << 53) - 2;

  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) Fail("a number beyond the end");
      const uint64_t byte = *at_++;
      if (shift == 63 && byte > 1) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    Fail("a number of more than 64 bits");
  }

  const uint8_t* begin_;
  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace ringside
