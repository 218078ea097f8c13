// SPDX-License-Identifier: Apache-2.0
// What one edge leaves to the next: the value of map `released`, mmapped, pinned beside the programs, which do not
// read it. An edge may be killed between any two stores, so each change is written where nobody looks and then made
// true by one store: of `account`, `set` or `epoch`.
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

// Raised whenever the layout below changes.
constexpr uint32_t kStateVersion = 1;

// The security ring, the ring of the rest, the summaries.
constexpr size_t kLanes = 3;

using ObjectHash = std::array<uint8_t, 32>;

// What is durable: Mark and Account of producer/source/source.ts.
struct Account {
  uint64_t marks[kLanes];
  uint64_t batch;
  uint64_t declared[RINGSIDE_CLASS_COUNT];
  uint64_t events[RINGSIDE_CLASS_COUNT];
  uint64_t closed[RINGSIDE_CPU_MAX + 1];  // seq by CPU; 0: none
  char run[40];                           // a UUID with its NUL; empty: nothing was ever released
};

// The moment at which a half of the groups was frozen, and the other began to count.
struct Flip {
  uint64_t time_ns;   // CLOCK_MONOTONIC
  uint64_t since_ns;  // the flip before
  uint64_t before;    // summaries that were made before those of this half
};

struct State {
  uint32_t version;
  uint32_t event_version;
  uint32_t set;      // of programs, whose pins begin with this number; those of other numbers are waste
  uint32_t account;  // which of `accounts` is true
  uint32_t epoch;    // half (epoch & 1) counts, the other is frozen; config.epoch follows
  uint32_t clearing;  // the epoch whose frozen half is released, and being zeroed
  uint32_t cleared;   // the epoch whose frozen half is all zero: the next may begin
  uint32_t made;     // summaries of the frozen half; 0 until they can be read
  uint64_t seq_before;  // of every CPU, and of the summaries, when the programs were first loaded
  uint64_t missed;      // runs that the kernel skipped, of the sets of programs before this one
  Flip flips[2];        // by epoch & 1
  ObjectHash objects[2];  // by set & 1
  Account accounts[2];

  const Account& Current() const { return accounts[account & 1]; }
  bool IsPending() const { return cleared != epoch; }
};

}  // namespace ringside

#endif
