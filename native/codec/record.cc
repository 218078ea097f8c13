// SPDX-License-Identifier: Apache-2.0
#include "record.h"

namespace ringside {

namespace {

bool IsRecord(const ringside_event& record, size_t left) {
  if (record.size < sizeof(ringside_event) || record.size > left || record.size % 8 != 0) return false;
  if (size_t{record.path_size} + record.extra_size > record.size - sizeof(ringside_event)) return false;
  if (record.event_class >= RINGSIDE_CLASS_COUNT || record.nr >= RINGSIDE_NR_MAX) return false;
  if (!IsSummary(record)) return record.cpu < RINGSIDE_SUMMARY_CPU;
  return record.cpu == RINGSIDE_SUMMARY_CPU && record.path_size >= sizeof(ringside_summary) &&
         (record.path_size - sizeof(ringside_summary)) % sizeof(ringside_cell) == 0;
}

}  // namespace

int64_t RecordWalk::Begin(const uint8_t* bytes, size_t length) {
  *this = RecordWalk();
  bytes_ = bytes;
  size_t lane = 0, at = 0;
  std::array<size_t, RINGSIDE_LANE_COUNT> begins{};
  while (at < length) {
    if (length - at < sizeof(ringside_event) || !IsRecord(At(at), length - at)) return -1 - static_cast<int64_t>(at);
    const ringside_event& record = At(at);
    while (lane < LaneOf(record)) begins[++lane] = at;
    at += record.size;
  }
  while (lane < RINGSIDE_LANE_SUMMARIES) begins[++lane] = at;
  next_ = begins;
  std::copy(begins.begin() + 1, begins.end(), ends_.begin());
  ends_[RINGSIDE_LANE_SUMMARIES] = at;
  const size_t first = NextLane();
  return first < RINGSIDE_LANE_SUMMARIES ? Microseconds(At(next_[first]).time_ns) : 0;
}

const ringside_event* RecordWalk::Next() {
  const size_t lane = NextLane();
  if (next_[lane] == ends_[lane]) return nullptr;
  const ringside_event& record = At(next_[lane]);
  next_[lane] += record.size;
  return &record;
}

size_t RecordWalk::NextLane() const {
  size_t first = RINGSIDE_LANE_SUMMARIES;
  for (size_t lane = RINGSIDE_LANE_SUMMARIES; lane-- > 0;) {
    if (next_[lane] == ends_[lane]) continue;
    if (first == RINGSIDE_LANE_SUMMARIES || At(next_[lane]).time_ns <= At(next_[first]).time_ns) first = lane;
  }
  return first;
}

}  // namespace ringside
