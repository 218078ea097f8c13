// SPDX-License-Identifier: Apache-2.0
// An edge's use of the programs in bpf/: reads their rings and summaries, releases them, and configures the programs.
// Independent of Node: options are validated, failures are thrown as Failure. For one thread, except where a method says
// otherwise.
#ifndef RINGSIDE_SESSION_H
#define RINGSIDE_SESSION_H

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "filter_maps.h"
#include "frozen_counts.h"
#include "options.h"
#include "pins.h"
#include "programs.h"
#include "ring_reader.h"
#include "state.h"
#include "takeover.h"

namespace ringside {

class Session {
 public:
  // Takes over from a dead edge, or loads and attaches: tens of milliseconds. Throws Failure.
  explicit Session(const Options& options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Copies whole records, ring by ring, then summaries; each ring has at least a quarter of the room. With a call it copies
  // every exec that the call's process made before it. Returns the bytes written, 0 if there is nothing to read.
  size_t Read(uint8_t* into, size_t bytes);

  // Frees the room before the account's marks; a successor starts with this account. Throws Failure for a mark that was
  // released before or not read yet.
  void Release(const Account& account);

  // Fraction of a ring that holds records read but not released, of the fullest ring.
  double Pressure() const;

  // Freezes the counts of this epoch. False while summaries are not released, or if nothing is counted.
  bool BeginSummaries() { return counts_.Freeze(); }
  // After WaitForPrograms, on any thread.
  Summaries CollectSummaries() const { return counts_.Collect(); }
  // Makes the result readable.
  void InstallSummaries(Summaries summaries) { counts_.Install(std::move(summaries)); }
  const std::vector<LimitedCalls>& Limited() const { return counts_.Limited(); }

  void SetFilter(const Filter& filter);
  void SetModes(const Modes& mode_of);
  // As ringside_config.process_events.
  void SetProcessEvents(uint32_t per_second);

  // As in go_marks.h.
  bool MarkGo(uint32_t pid, uint64_t start_ns, uint32_t exec_id);
  void UnmarkGo(uint32_t pid, uint64_t start_ns, uint32_t exec_id);

  // On any thread, also concurrently with itself. After it returns, no program writes any more. Waits for the kernel: up
  // to tens of milliseconds.
  void Detach();
  // After Detach: freezes the remaining counts, at once or when the frozen ones are released.
  void FreezeLast() { counts_.FreezeLast(); }

  // Detached, and everything was read.
  bool Ended() const;

  // Removes all pins if the programs are detached: a successor then starts anew.
  void Close();

  // The positions that reading started at, and the account of the dead edge; nullptr without one.
  const std::array<uint64_t, kLanes>& Begin() const { return begin_; }
  const Account* Previous() const { return previous_ ? &*previous_ : nullptr; }
  // For the log.
  const std::vector<std::string>& Notes() const { return notes_; }
  const std::vector<std::string>& Unsupported() const { return programs_.unsupported(); }
  RingSizes RingBytes() const;

  // One for each possible CPU, since the programs were first loaded.
  const ringside_counters* Counters() const { return counters_.as<ringside_counters>(); }
  uint32_t Cpus() const { return cpus_; }
  // The seq before the first, of every CPU and of the summaries.
  uint64_t SeqBefore() const { return state_->seq_before; }
  uint64_t LastSummarySeq() const { return state_->seq_before + counts_.Made(); }
  // CLOCK_MONOTONIC up to which summaries include all counted calls; 0: there are none yet.
  uint64_t CountedUntilNs() const { return counts_.CountedUntilNs(); }
  // Runs that the kernel skipped, and the run time of the programs, nullopt unless it is measured. Ask the kernel at most
  // once a second.
  uint64_t Skipped();
  std::optional<uint64_t> RecentProgramTimeNs();
  // Asks the kernel.
  std::optional<uint64_t> ProgramTimeNs() const;

 private:
  void OpenRings();
  void UpdateCost();
  void Observe(const Options& options, const Programs* replaced);

  Pins pins_;
  Programs programs_;
  Descriptor state_map_;
  Mapping state_mapping_;
  State* state_ = nullptr;
  std::array<RingReader, kRings> rings_;
  Mapping counters_;
  FrozenCounts counts_;
  FilterMaps filter_;
  Descriptor statistics_;
  std::array<uint64_t, kLanes> begin_{};
  std::optional<Account> previous_;
  std::vector<std::string> notes_;
  uint32_t cpus_ = 0;
  uint64_t skipped_ = 0;
  std::optional<uint64_t> program_time_ns_;
  uint64_t cost_until_ns_ = 0;

  std::once_flag detach_once_;
  std::atomic<bool> detaching_{false};
  std::atomic<bool> detached_{false};
};

}  // namespace ringside

#endif
