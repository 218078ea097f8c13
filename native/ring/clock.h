// SPDX-License-Identifier: Apache-2.0
#ifndef RINGSIDE_CLOCK_H
#define RINGSIDE_CLOCK_H

#include <time.h>

#include <cstdint>

namespace ringside {

inline uint64_t ClockNs(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

inline uint64_t MonotonicNs() { return ClockNs(CLOCK_MONOTONIC); }

}  // namespace ringside

#endif
