// SPDX-License-Identifier: Apache-2.0
#include "record.h"

#include <optional>

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
  std::optional<size_t> security_end, other_end;
  size_t at = 0;
  while (at < length) {
    if (length - at < sizeof(ringside_event) || !IsRecord(At(at), length - at)) return -1 - static_cast<int64_t>(at);
    const ringside_event& record = At(at);
    if (!security_end && (IsSummary(record) || !RINGSIDE_IS_SECURITY(record.event_class))) security_end = at;
    if (!other_end && IsSummary(record)) other_end = at;
    at += record.size;
  }
  end_ = at;
  other_end_ = other_end.value_or(at);
  security_end_ = other_ = security_end.value_or(at);
  const size_t first = IsSecurityNext() ? security_ : other_;
  return first < other_end_ ? Microseconds(At(first).time_ns) : 0;
}

const ringside_event* RecordWalk::Next() {
  size_t& place = IsSecurityNext() ? security_ : other_;
  if (place == end_) return nullptr;
  const ringside_event& record = At(place);
  place += record.size;
  return &record;
}

bool RecordWalk::IsSecurityNext() const {
  if (security_ == security_end_) return false;
  return other_ >= other_end_ || At(security_).time_ns <= At(other_).time_ns;
}

}  // namespace ringside
