// SPDX-License-Identifier: Apache-2.0
// Accessors of a ring record, and the walk over the records of a read: checked once, then read in place.
#pragma once

#include <linux/types.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "../../bpf/event.h"
#include "avro.h"

namespace ringside {

inline std::string_view PathOf(const ringside_event& record) { return {record.path, record.path_size}; }
inline std::string_view ExtraOf(const ringside_event& record) {
  return {record.path + record.path_size, record.extra_size};
}
inline std::string_view CommOf(const ringside_event& record) {
  return {record.comm, strnlen(record.comm, sizeof(record.comm))};
}
// At most RINGSIDE_STACK_MAX addresses, in place.
struct StackView {
  const uint64_t* begin;
  size_t count;
};

inline bool HasStack(const ringside_event& record) { return (record.flags & RINGSIDE_HAS_STACK) != 0; }
inline StackView StackOf(const ringside_event& record) {
  const size_t begin = (sizeof(record) + record.path_size + record.extra_size + 7) & ~size_t{7};
  const size_t count = (record.size - begin) / sizeof(uint64_t);
  return {reinterpret_cast<const uint64_t*>(reinterpret_cast<const uint8_t*>(&record) + begin),
          std::min<size_t>(count, RINGSIDE_STACK_MAX)};
}
inline bool IsSummary(const ringside_event& record) { return record.kind == RINGSIDE_KIND_SUMMARY; }
inline size_t LaneOf(const ringside_event& record) { return RINGSIDE_LANE_OF(record.kind, record.event_class); }
inline int64_t Microseconds(uint64_t ns) { return ClampUnsigned(ns / 1000); }

// Iterates over the records of a read, as producer/source/record-walk.ts does: the rings merged by time, then the summaries.
class RecordWalk {
 public:
  // The bytes start at a multiple of 8 and must live until the end of the walk.
  // Returns the time of the oldest of the rings' first events, CLOCK_MONOTONIC in microseconds, 0 without any event;
  // or -1 - the offset of the first invalid record, and the walk is then empty.
  int64_t Begin(const uint8_t* bytes, size_t length);
  // Null at the end of the read.
  const ringside_event* Next();

 private:
  const ringside_event& At(size_t place) const { return *reinterpret_cast<const ringside_event*>(bytes_ + place); }
  // The ring whose next record is the oldest, an earlier ring among equals; the summaries behind all records.
  size_t NextLane() const;

  const uint8_t* bytes_ = nullptr;
  // By lane: the next record, and the end.
  std::array<size_t, RINGSIDE_LANE_COUNT> next_{};
  std::array<size_t, RINGSIDE_LANE_COUNT> ends_{};
};

}  // namespace ringside
