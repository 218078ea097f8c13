// SPDX-License-Identifier: Apache-2.0
// One edge's hold on the programs in bpf/: their rings and counts, what of these is released, and, if there is a
// folder for pins, what passes from a dead edge to its successor. No Node in here: options come in validated,
// failures leave as Failure. All is for one thread, but for what is said to run beside the rest.
#ifndef RINGSIDE_SESSION_H
#define RINGSIDE_SESSION_H

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pins.h"
#include "programs.h"
#include "ring_reader.h"
#include "state.h"
#include "summaries.h"

namespace ringside {

using Comm = std::array<char, RINGSIDE_COMM_SIZE>;

// An empty set lets all pass; sets that are not empty must all be met.
struct Filter {
  std::set<uint32_t> pids;
  std::set<Comm> comms;
  std::set<uint64_t> cgroups;
};

struct Owner {
  uint32_t user;
  uint32_t group;
};

struct Options {
  LoadOptions load;
  ObjectHash hash;  // of the object file
  bool ignore_family;
  Modes mode_of;
  Filter filter;
  std::string pin_folder;      // empty: nothing is pinned
  std::optional<Owner> owner;  // who will remove the pins
  bool measure_cost;
  bool go_functions;  // calls of marked processes come with their stack
};

class Session {
 public:
  // Takes over from a dead edge, or loads and attaches: tens of milliseconds. Throws Failure.
  explicit Session(const Options& options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Copies whole records into `into`: those of the security ring, those of the other, for which a quarter of
  // the room is kept, and summaries. Returns the bytes written, 0 when there is nothing to read.
  size_t Read(uint8_t* into, size_t bytes);

  // What lies before the account's marks is given back, and a successor begins with this account.
  void Release(const Account& account);

  // The share of its ring that what was read and is not released holds, of the fuller one.
  double Pressure() const;

  // The other half of the groups begins to count; false while summaries are not released, or nothing is counted.
  bool BeginSummaries();
  // After WaitForPrograms, beside the rest: the summaries of the half that was frozen.
  Summaries CollectSummaries() const;
  // From here on they are read.
  void InstallSummaries(Summaries summaries);

  void SetFilter(const Filter& filter);
  void SetModes(const Modes& mode_of);

  // From here on told calls of this process come with their stack, until it executes another program. False when there
  // is no room for it among those that are marked and alive.
  bool MarkGo(uint32_t pid, uint64_t start_ns);
  void UnmarkGo(uint32_t pid);

  // May run beside the rest, and itself: when it returns, no program will write any more. Waits for the kernel:
  // up to tens of milliseconds.
  void Detach();
  // After Detach: what was counted up to it is frozen, at once or when what was frozen before is released.
  void FreezeLast();

  // Detached, and everything was read.
  bool Ended() const;

  // An end in order: with it, nothing stays behind that was pinned, if the programs were detached.
  void Close();

  // Where reading began, and the account it goes on from; nullptr when there is none.
  const Account* Previous() const { return previous_ ? &*previous_ : nullptr; }
  const std::array<uint64_t, kLanes>& Begin() const { return begin_; }
  // What whoever started the edge should know.
  const std::vector<std::string>& Notes() const { return notes_; }
  const std::vector<std::string>& LeftOut() const { return programs_.left_out(); }
  std::array<uint32_t, 2> RingBytes() const;

  // One for each possible CPU, since the programs were loaded.
  const ringside_counters* Counters() const { return counters_.as<ringside_counters>(); }
  uint32_t Cpus() const { return cpus_; }
  // The seq before the first of every CPU, and of the summaries.
  uint64_t SeqBefore() const { return state_->seq_before; }
  // Of the summaries that can be read, or were.
  uint64_t LastSummarySeq() const { return state_->seq_before + MadeUntil(); }
  // CLOCK_MONOTONIC up to which all counted calls are in summaries; 0: none were made yet.
  uint64_t CountedUntilNs() const { return counted_until_ns_; }
  // Runs of programs that the kernel left out; asked for at most once a second.
  uint64_t Skipped();
  // nullopt unless it is measured.
  std::optional<uint64_t> ProgramTimeNs() const;

 private:
  void LoadAnew(const Options& options);
  void TakeOver(const Options& options);
  void Discard(const Options& options, const std::string& reason);
  void Adopt(const Options& options, Programs old);
  void Upgrade(const Options& options, Programs old, Programs next);
  void Replace(const Options& options);
  void MakeState(const ObjectHash& hash, uint64_t seq_before, const Account& account);
  void OpenLanes();
  void Observe(const Options& options, const Programs* old = nullptr);

  void Freeze();
  void ClearFrozen();
  void ResumeSummaries();
  const ringside_group* FrozenGroups() const;
  size_t FrozenCount() const;
  uint64_t MadeUntil() const { return state_->flips[state_->epoch & 1].before + made_; }

  void FillFilter(const Filter& filter);
  void ApplyFilter();
  template <typename Key>
  void ReplaceKeys(const char* map, std::set<Key>& present, const std::set<Key>& wanted);
  template <typename Key>
  std::set<Key> KeysOf(const char* map) const;

  Pins pins_;
  Programs programs_;
  Descriptor state_map_;
  Mapping state_mapping_;
  State* state_ = nullptr;
  std::array<RingReader, 2> rings_;
  Mapping counters_;
  Mapping groups_;
  Mapping used_;
  Descriptor statistics_;
  Filter filter_;
  std::vector<std::string> notes_;
  std::array<uint64_t, kLanes> begin_{};
  std::optional<Account> previous_;
  uint32_t cpus_ = 0;

  Summaries frozen_;
  size_t frozen_read_ = 0;     // bytes of its records
  uint64_t made_ = 0;          // summaries of the half that is frozen
  uint64_t counted_until_ns_ = 0;
  bool collecting_ = false;
  bool last_is_due_ = false;
  bool is_last_frozen_ = false;
  uint64_t skipped_ = 0;
  uint64_t skipped_until_ns_ = 0;

  std::once_flag detach_once_;
  std::atomic<bool> detaching_{false};
  std::atomic<bool> detached_{false};
};

}  // namespace ringside

#endif
