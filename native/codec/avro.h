// SPDX-License-Identifier: Apache-2.0
// The part of Avro's binary encoding that a batch needs. Writers do not check the room: the caller reserves it first.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

namespace ringside {

// avsc refuses greater numbers and writes lesser ones with a wrong last bit (producer/source/numbers.ts).
constexpr int64_t kGreatestLong = (int64_t{1} << 53) - 2;
constexpr int64_t kLeastLong = -(int64_t{1} << 52);

inline int64_t ClampUnsigned(uint64_t value) {
  return value > static_cast<uint64_t>(kGreatestLong) ? kGreatestLong : static_cast<int64_t>(value);
}

inline int64_t ClampSigned(__int128 value) {
  if (value > kGreatestLong) return kGreatestLong;
  return value < kLeastLong ? kLeastLong : static_cast<int64_t>(value);
}

// A buffer that grows, and keeps its capacity when cleared.
class Output {
 public:
  // Makes room for `bytes`. After writing, call Commit with the end of the written bytes.
  uint8_t* Room(size_t bytes) {
    if (capacity_ - size_ < bytes) Grow(bytes);
    return data_.get() + size_;
  }
  void Commit(const uint8_t* end) { size_ = static_cast<size_t>(end - data_.get()); }
  void Append(const void* bytes, size_t count) {
    if (count > 0) std::memcpy(Room(count), bytes, count);
    size_ += count;
  }

  const uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  void clear() { size_ = 0; }

 private:
  void Grow(size_t bytes) {
    const size_t capacity = 2 * (capacity_ + bytes);
    std::unique_ptr<uint8_t[]> data(new uint8_t[capacity]);
    if (size_ > 0) std::memcpy(data.get(), data_.get(), size_);
    data_ = std::move(data);
    capacity_ = capacity;
  }

  std::unique_ptr<uint8_t[]> data_;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

// Each writer returns the end of its value. Avro writes int, long, enum and the index of a union all as a long.
inline uint8_t* WriteLong(uint8_t* at, int64_t value) {
  uint64_t left = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  for (; left > 0x7f; left >>= 7) *at++ = static_cast<uint8_t>(left | 0x80);
  *at++ = static_cast<uint8_t>(left);
  return at;
}

inline uint8_t* WriteBytes(uint8_t* at, std::string_view bytes) {
  at = WriteLong(at, static_cast<int64_t>(bytes.size()));
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

constexpr uint8_t kNull = 0;
constexpr uint8_t kSecondOfUnion = 2;

// The union ["null", "string"].
inline uint8_t* WriteOptional(uint8_t* at, std::optional<std::string_view> text) {
  *at++ = text ? kSecondOfUnion : kNull;
  return text ? WriteBytes(at, *text) : at;
}

}  // namespace ringside
