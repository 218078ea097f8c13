// SPDX-License-Identifier: Apache-2.0
// The half of the groups that no program writes to: freezes it, hands out its summaries, and zeroes it once they are
// released. Every step is in State, so that a successor resumes after a crash at any point.
#ifndef RINGSIDE_FROZEN_COUNTS_H
#define RINGSIDE_FROZEN_COUNTS_H

#include <cstddef>
#include <cstdint>

#include "mapping.h"
#include "programs.h"
#include "state.h"
#include "summaries.h"

namespace ringside {

class FrozenCounts {
 public:
  FrozenCounts() = default;
  // Both must outlive this object.
  FrozenCounts(const Programs& programs, State* state);

  // Once, before any other call: continues after `released` summaries, from whatever state a dead edge left.
  void Resume(uint64_t released);

  // Freezes the half that counts. False, and nothing happens, while the other half is not released or nothing is counted.
  bool Freeze();
  // Builds the summaries of the frozen half. After WaitForPrograms; may run on another thread.
  Summaries Collect() const;
  // Makes the result of Collect readable.
  void Install(Summaries summaries);
  // After the programs are detached: freezes the remaining counts, at once or when the frozen half is released.
  void FreezeLast();

  // Copies whole summaries as long as they fit and returns their bytes.
  size_t Read(uint8_t* into, size_t room);
  // Of the last summaries, until they are released.
  const std::vector<LimitedCalls>& Limited() const { return frozen_.limited; }
  bool HasUnread() const { return read_ < frozen_.records.size(); }
  // FreezeLast has frozen a half, and all its summaries were read.
  bool IsEnd() const { return is_last_frozen_ && !HasUnread(); }

  // Zeroes the frozen half if `released` includes all its summaries.
  void Release(uint64_t released);

  // Summaries that can be read or were read, in all epochs.
  uint64_t Made() const { return state_->flips[state_->epoch & 1].before + made_; }
  // CLOCK_MONOTONIC up to which summaries include all counted calls; 0: there are none yet.
  uint64_t CountedUntilNs() const { return counted_until_ns_; }

 private:
  void StartEpoch();
  void Clear();
  const ringside_group* Groups() const;
  size_t GroupCount() const;
  uint32_t FrozenHalf() const { return (state_->epoch - 1) & 1; }

  ringside_config* config_ = nullptr;
  State* state_ = nullptr;
  Mapping groups_;
  Mapping used_;
  Summaries frozen_;
  size_t read_ = 0;    // bytes of its records
  uint64_t made_ = 0;  // summaries of the frozen half
  uint64_t counted_until_ns_ = 0;
  bool is_collecting_ = false;
  bool is_last_due_ = false;
  bool is_last_frozen_ = false;
};

}  // namespace ringside

#endif
