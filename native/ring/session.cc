// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <bpf.h>
#include <libbpf.h>

#include <algorithm>
#include <utility>

#include "clock.h"
#include "go_marks.h"
#include "publish.h"

namespace ringside {

namespace {

// Quarters of the room of a read that a ring and those before it may fill, by lane.
constexpr std::array<size_t, kRings> kQuarters = {2, 3, 4};
constexpr size_t kLongestRecord = sizeof(ringside_event) + (1 << 16);
constexpr uint64_t kCostEveryNs = 1000000000;

}  // namespace

Session::Session(const Options& options) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) throw Failure{"count CPUs", -cpus, ""};
  if (cpus > RINGSIDE_CPU_MAX) throw Failure{"count CPUs", E2BIG, "more than RINGSIDE_CPU_MAX"};
  cpus_ = static_cast<uint32_t>(cpus);
  if (options.measure_cost) statistics_ = Descriptor(bpf_enable_stats(BPF_STATS_RUN_TIME));

  if (!options.pin_folder.empty()) {
    std::string reason;
    pins_ = Pins::Open(options.pin_folder, options.owner ? options.owner->user : geteuid(), reason);
    if (!pins_) notes_.push_back("nothing is pinned, a successor cannot take over: " + reason);
  }
  Attached attached = AttachPrograms(options, pins_);
  programs_ = std::move(attached.programs);
  state_map_ = std::move(attached.state_map);
  state_mapping_ = std::move(attached.state);
  state_ = state_mapping_.as<State>();
  begin_ = attached.begin;
  previous_ = attached.previous;
  OpenRings();
  Observe(options, attached.replaced ? &*attached.replaced : nullptr);
  if (attached.replaced) {
    attached.replaced->Detach(pins_);
    attached.replaced->Unpin(pins_);
  }
  if (!attached.note.empty()) notes_.push_back(attached.note);
  if (pins_ && options.owner) pins_.GiveTo(options.owner->user, options.owner->group);
}

void Session::OpenRings() {
  for (size_t ring = 0; ring < kRings; ring++) {
    rings_[ring] = RingReader(programs_.Map(kRingMaps[ring]), programs_.MaxEntries(kRingMaps[ring]), begin_[ring]);
  }
  counters_ = Mapping(programs_.Map(kCounters), sizeof(ringside_counters) * RINGSIDE_CPU_MAX, PROT_READ, 0, "counters");
  counts_ = FrozenCounts(programs_, state_);
}

void Session::Observe(const Options& options, const Programs* replaced) {
  programs_.Identify(options.ignore_family);
  filter_ = FilterMaps(programs_);
  filter_.Replace(options.filter);
  // Only the replaced programs can emit a call that they saw enter; only the new ones see those that enter from here on.
  if (replaced != nullptr) Mute(replaced->config());
  SetFilterBits(programs_.config(), filter_.Bits());
  SetProcessEvents(options.process_events);
  SetModes(options.mode_of);
  // Marks of the predecessor: this edge has not examined those processes.
  ClearGoMarks(programs_.config());
  Publish(programs_.config()->go_functions, options.go_functions);
  counts_.Resume(begin_[kSummaries]);
  if (RingBytes() != options.load.ring_bytes) {
    notes_.push_back("the rings keep the sizes that they were created with");
  }
}

RingSizes Session::RingBytes() const {
  RingSizes bytes{};
  std::transform(kRingMaps.begin(), kRingMaps.end(), bytes.begin(),
                 [this](const char* name) { return programs_.MaxEntries(name); });
  return bytes;
}

size_t Session::Read(uint8_t* into, size_t bytes) {
  const size_t kept = counts_.HasUnread() ? kLongestRecord : 0;
  // The process ring's end comes last: every exec before a call that is read is before it.
  std::array<uint64_t, kRings> ends{};
  for (size_t ring = kRings; ring-- > 0;) ends[ring] = rings_[ring].ProducerPosition();
  size_t filled = 0;
  uint64_t until_ns = UINT64_MAX;
  for (size_t ring = 0; ring < kRings; ring++) {
    const size_t room = bytes / 4 * kQuarters[ring] - kept - filled;
    const RingReader::Result read = rings_[ring].Read(into + filled, {room, ends[ring], until_ns});
    filled += read.bytes;
    // Calls after the last exec that had room wait for the next read.
    if (ring == RINGSIDE_LANE_PROCESS && read.is_full) until_ns = read.last_ns;
  }
  // Summaries follow every exec before them, too.
  if (until_ns >= counts_.CountedUntilNs()) filled += counts_.Read(into + filled, bytes - filled);
  return filled;
}

void Session::Release(const Account& account) {
  const uint64_t summaries = account.marks[kSummaries];
  if (summaries < state_->Current().marks[kSummaries] || summaries > counts_.Made()) {
    throw Failure{"release summaries that were not read", ERANGE, ""};
  }
  for (size_t ring = 0; ring < kRings; ring++) rings_[ring].CheckRelease(account.marks[ring]);
  const uint32_t next = 1 - (state_->account & 1);
  state_->accounts[next] = account;
  Publish(state_->account, next);
  for (size_t ring = 0; ring < kRings; ring++) rings_[ring].Release(account.marks[ring]);
  counts_.Release(summaries);
}

double Session::Pressure() const {
  double pressure = 0;
  for (const RingReader& ring : rings_) pressure = std::max(pressure, ring.Pressure());
  return pressure;
}

void Session::SetFilter(const Filter& filter) {
  filter_.Replace(filter);
  if (!detaching_) SetFilterBits(programs_.config(), filter_.Bits());
}

void Session::SetProcessEvents(uint32_t per_second) { Publish(programs_.config()->process_events, per_second); }

void Session::SetModes(const Modes& mode_of) {
  if (!detaching_) ringside::SetModes(programs_.config(), mode_of);
}

bool Session::MarkGo(uint32_t pid, uint64_t start_ns, uint32_t exec_id) {
  return ringside::MarkGo(programs_.config(), pid, start_ns, exec_id);
}

void Session::UnmarkGo(uint32_t pid, uint64_t start_ns, uint32_t exec_id) {
  ringside::UnmarkGo(programs_.config(), pid, start_ns, exec_id);
}

void Session::Detach() {
  detaching_ = true;
  std::call_once(detach_once_, [this] {
    // A system call may enter the tracepoint before the link is removed, and run its program after it: muted, that program
    // does nothing. All other programs run in an RCU section, which WaitForPrograms waits for.
    Mute(programs_.config());
    programs_.Detach(pins_);
    WaitForPrograms();
    detached_ = true;
  });
}

bool Session::Ended() const {
  return detached_ && counts_.IsEnd() &&
         std::all_of(rings_.begin(), rings_.end(), [](const RingReader& ring) { return ring.IsDrained(); });
}

void Session::Close() {
  if (pins_ && detached_) RemovePins(pins_, programs_);
}

void Session::UpdateCost() {
  const uint64_t now = MonotonicNs();
  if (now < cost_until_ns_) return;
  const std::optional<ProgramCost> cost = programs_.Cost();
  skipped_ = state_->missed + cost.value_or(ProgramCost{}).skipped;
  if (statistics_ && cost) program_time_ns_ = cost->run_ns;
  cost_until_ns_ = now + kCostEveryNs;
}

uint64_t Session::Skipped() {
  UpdateCost();
  return skipped_;
}

std::optional<uint64_t> Session::RecentProgramTimeNs() {
  UpdateCost();
  return program_time_ns_;
}

std::optional<uint64_t> Session::ProgramTimeNs() const {
  if (!statistics_) return std::nullopt;
  const std::optional<ProgramCost> cost = programs_.Cost();
  return cost ? std::optional(cost->run_ns) : std::nullopt;
}

}  // namespace ringside
