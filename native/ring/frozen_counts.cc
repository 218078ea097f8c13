// SPDX-License-Identifier: Apache-2.0
#include "frozen_counts.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "clock.h"
#include "publish.h"

namespace ringside {

FrozenCounts::FrozenCounts(const Programs& programs, State* state) : config_(programs.config()), state_(state) {
  const int read_write = PROT_READ | PROT_WRITE;
  used_ = Mapping(programs.Map(kUsed), 2 * sizeof(ringside_used), read_write, 0, "used");
  const size_t groups = programs.MaxEntries(kGroups);
  groups_ = Mapping(programs.Map(kGroups), groups * sizeof(ringside_group), read_write, 0, "groups");
}

const ringside_group* FrozenCounts::Groups() const {
  return groups_.as<ringside_group>() + FrozenHalf() * config_->groups;
}

size_t FrozenCounts::GroupCount() const {
  return std::min(used_.as<ringside_used>()[FrozenHalf()].groups, config_->groups);
}

void FrozenCounts::Resume(uint64_t released) {
  const Flip& flip = state_->flips[state_->epoch & 1];
  if (state_->epoch > 0) counted_until_ns_ = flip.time_ns;
  made_ = released - flip.before;
  if (!state_->IsPending()) return;
  WaitForPrograms();
  if (state_->clearing == state_->epoch) return Clear();
  Install(Collect());
  for (uint64_t left = released - flip.before; left > 0 && state_->IsPending(); left--) {
    read_ += reinterpret_cast<const ringside_event*>(frozen_.records.data() + read_)->size;
  }
  if (state_->IsPending() && released == Made()) Clear();
}

bool FrozenCounts::Freeze() {
  const auto* modes = &config_->mode_of[0][0];
  const bool counts = std::any_of(modes, modes + sizeof(config_->mode_of), [](uint8_t mode) {
    return (mode & RINGSIDE_MODE_MASK) == RINGSIDE_MODE_COUNT;
  });
  const bool counted = used_.as<ringside_used>()[state_->epoch & 1].groups > 0;
  if (is_collecting_ || state_->IsPending() || !(counts || counted)) return false;
  StartEpoch();
  is_collecting_ = true;
  return true;
}

void FrozenCounts::StartEpoch() {
  const uint64_t before = Made();
  const uint64_t since_ns = state_->flips[state_->epoch & 1].time_ns;
  const uint32_t epoch = state_->epoch + 1;
  Publish(state_->made, 0);
  state_->flips[epoch & 1] = {MonotonicNs(), since_ns, before};
  Publish(state_->epoch, epoch);
  Publish(config_->epoch, epoch);
  made_ = 0;
}

Summaries FrozenCounts::Collect() const {
  const Flip& flip = state_->flips[state_->epoch & 1];
  return Summarize(Groups(), GroupCount(), state_->seq_before + flip.before, flip.time_ns,
                   flip.time_ns - flip.since_ns);
}

void FrozenCounts::Install(Summaries summaries) {
  is_collecting_ = false;
  frozen_ = std::move(summaries);
  read_ = 0;
  made_ = frozen_.count;
  Publish(state_->made, static_cast<uint32_t>(made_));
  counted_until_ns_ = state_->flips[state_->epoch & 1].time_ns;
  if (made_ == 0) Clear();
  if (is_last_due_) FreezeLast();
}

void FrozenCounts::FreezeLast() {
  if (is_last_frozen_) return;
  is_last_due_ = is_collecting_ || state_->IsPending();
  if (is_last_due_) return;
  is_last_frozen_ = true;
  StartEpoch();
  Install(Collect());
}

void FrozenCounts::Clear() {
  // Groups before `used`: after a crash between the two, a successor finds the groups and zeroes them again.
  Publish(state_->clearing, state_->epoch);
  const size_t first = static_cast<size_t>(FrozenHalf()) * config_->groups;
  std::memset(static_cast<void*>(groups_.as<ringside_group>() + first), 0, GroupCount() * sizeof(ringside_group));
  Publish(used_.as<ringside_used>()[FrozenHalf()].groups, 0);
  Publish(state_->cleared, state_->epoch);
  frozen_ = {};
  read_ = 0;
  if (is_last_due_) FreezeLast();
}

size_t FrozenCounts::Read(uint8_t* into, size_t room) {
  size_t end = read_;
  while (end < frozen_.records.size()) {
    const auto* event = reinterpret_cast<const ringside_event*>(frozen_.records.data() + end);
    if (end + event->size - read_ > room) break;
    end += event->size;
  }
  const size_t bytes = end - read_;
  std::memcpy(into, frozen_.records.data() + read_, bytes);
  read_ = end;
  return bytes;
}

void FrozenCounts::Release(uint64_t released) {
  if (!is_collecting_ && state_->IsPending() && released == Made()) Clear();
}

}  // namespace ringside
