// SPDX-License-Identifier: Apache-2.0
// The value of map `released`, pinned with the programs but unused by them: one edge leaves it to the next. An edge may be
// killed between any two stores, so a change is written to unused memory, then made valid by one store to `account`,
// `set` or `epoch`.
#ifndef RINGSIDE_STATE_H
#define RINGSIDE_STATE_H

#include <linux/types.h>

#include <array>
#include <cstddef>
#include <cstdint>

extern "C" {
#include "../../bpf/event.h"
}

namespace ringside {

// Raised by every change to the layout below.
constexpr uint32_t kStateVersion = 2;

// Lanes of enum ringside_lane, each with its own position; the rings are the first.
constexpr size_t kLanes = RINGSIDE_LANE_COUNT;
constexpr size_t kSummaries = RINGSIDE_LANE_SUMMARIES;
constexpr size_t kRings = kSummaries;

using ObjectHash = std::array<uint8_t, 32>;

// The account of all durable events: Mark and Account of producer/source/source.ts.
struct Account {
  uint64_t marks[kLanes];
  uint64_t batch;
  uint64_t declared[RINGSIDE_CLASS_COUNT];
  uint64_t events[RINGSIDE_CLASS_COUNT];
  uint64_t closed[RINGSIDE_CPU_MAX + 1];  // seq by CPU; 0: none
  char run[40];                           // a UUID and NUL; empty: nothing was released yet
};

// The moment at which one half of the groups was frozen and the other began to count.
struct Flip {
  uint64_t time_ns;   // CLOCK_MONOTONIC
  uint64_t since_ns;  // of the previous flip
  uint64_t before;    // summaries made before those of this half
};

struct State {
  uint32_t version;
  uint32_t event_version;
  uint32_t set;       // number of the set of programs in use, with which its pins begin; other sets are unused
  uint32_t account;   // index of the valid one in `accounts`
  uint32_t epoch;     // half (epoch & 1) counts, the other is frozen; copied to config.epoch
  uint32_t clearing;  // the epoch whose frozen half is released and being zeroed
  uint32_t cleared;   // the epoch whose frozen half is all zero: the next epoch may begin
  uint32_t made;      // summaries of the frozen half; 0 until they can be read
  uint64_t seq_before;    // of every CPU, and of the summaries, when the programs were first loaded
  uint64_t missed;        // runs that the kernel skipped of earlier sets of programs
  Flip flips[2];          // by epoch & 1
  ObjectHash objects[2];  // by set & 1
  Account accounts[2];

  const Account& Current() const { return accounts[account & 1]; }
  bool IsPending() const { return cleared != epoch; }
};

}  // namespace ringside

#endif
