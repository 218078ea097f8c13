// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <bpf.h>
#include <libbpf.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "libbpf_log.h"

namespace ringside {

namespace {

// Of the room of a read, what the security ring leaves for the other, however full it is.
constexpr size_t kShareOfRest = 4;
constexpr size_t kLongestRecord = sizeof(ringside_event) + (1 << 16);
// In the order in which they are read; the index of a ring is that of its lane.
constexpr std::array<const char*, 2> kRings = {kSecurityRing, kRestRing};
constexpr size_t kSummaries = 2;

constexpr const char* kStatePin = "released";
constexpr const char* kNextStatePin = "next-released";

uint64_t MonotonicNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

// Of the clock that seq begins at: it moves faster than any CPU makes events, and stays a whole double for 28
// years of uptime.
constexpr uint64_t kNsPerSeq = 100;
constexpr uint64_t kSkippedEveryNs = 1000000000;

// Nothing where the kernel does not say, as before 5.19 to a process without CAP_BPF.
std::optional<ProgramCost> CostOf(const Programs& programs) {
  try {
    return programs.Cost();
  } catch (const Failure&) {
    return std::nullopt;
  }
}

uint64_t SkippedBy(const Programs& programs) { return CostOf(programs).value_or(ProgramCost{}).skipped; }

// Of another user too: EPERM is an answer.
bool IsAlive(uint32_t pid) { return kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH; }

// The set of a process among those that are marked.
ringside_go_process* GoSet(ringside_config* config, uint32_t pid) {
  return &config->go[(pid & (RINGSIDE_GO_SETS - 1)) * RINGSIDE_GO_WAYS];
}

// Everything before is seen by whoever sees this.
void Publish(uint32_t& where, uint32_t value) { __atomic_store_n(&where, value, __ATOMIC_SEQ_CST); }

Mapping MapState(int fd) { return Mapping(fd, sizeof(State), PROT_READ | PROT_WRITE, 0, kStatePin); }

// nullopt unless it is a state as this edge knows it.
std::optional<Mapping> OpenState(const Descriptor& map) {
  bpf_map_info info{};
  uint32_t bytes = sizeof(info);
  if (bpf_map_get_info_by_fd(map.get(), &info, &bytes) != 0 || info.value_size != sizeof(State)) return std::nullopt;
  Mapping mapping = MapState(map.get());
  if (mapping.as<State>()->version != kStateVersion) return std::nullopt;
  return mapping;
}

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
    if (!pins_) notes_.push_back("nothing will be left to a successor: " + reason);
  }
  if (pins_ && pins_.Has(kStatePin)) {
    TakeOver(options);
  } else {
    LoadAnew(options);
  }
  if (pins_ && options.owner) pins_.GiveTo(options.owner->user, options.owner->group);
}

void Session::MakeState(const ObjectHash& hash, uint64_t seq_before, const Account& account) {
  bpf_map_create_opts create{};
  create.sz = sizeof(create);
  create.map_flags = BPF_F_MMAPABLE;
  Descriptor map(bpf_map_create(BPF_MAP_TYPE_ARRAY, kStatePin, sizeof(uint32_t), sizeof(State), 1, &create));
  if (!map) throw Failure{"create map released", errno, ""};
  Mapping mapping = MapState(map.get());
  auto* state = mapping.as<State>();
  state->version = kStateVersion;
  state->event_version = RINGSIDE_EVENT_VERSION;
  state->set = programs_.number();
  state->objects[state->set & 1] = hash;
  state->seq_before = seq_before;
  state->flips[0].time_ns = MonotonicNs();
  state->flips[0].before = account.marks[kSummaries];
  state->accounts[0] = account;
  state_map_ = std::move(map);
  state_mapping_ = std::move(mapping);
  state_ = state;
}

void Session::LoadAnew(const Options& options) {
  if (pins_) Programs::RemoveOthers(pins_, 0);
  const uint64_t seq_before = MonotonicNs() / kNsPerSeq;
  programs_ = *Programs::Load(options.load, 1, nullptr, std::vector<uint64_t>(RINGSIDE_CPU_MAX, seq_before));
  MakeState(options.hash, seq_before, {});
  programs_.Attach();
  if (pins_) {
    programs_.Pin(pins_);
    // The last: without it, the others are waste.
    pins_.Pin(state_map_.get(), kStatePin);
  }
  OpenLanes();
  Observe(options);
}

void Session::TakeOver(const Options& options) {
  pins_.Remove(kNextStatePin);
  state_map_ = pins_.Get(kStatePin);
  std::optional<Mapping> mapping = OpenState(state_map_);
  if (!mapping) return Discard(options, "is of a version that this one does not know");
  state_mapping_ = std::move(*mapping);
  state_ = state_mapping_.as<State>();
  Programs::RemoveOthers(pins_, state_->set);
  const Account& account = state_->Current();
  std::copy(std::begin(account.marks), std::end(account.marks), begin_.begin());
  if (account.run[0] != 0) previous_ = account;

  if (state_->event_version != RINGSIDE_EVENT_VERSION) return Replace(options);
  std::optional<Programs> old;
  try {
    old = Programs::Open(pins_, state_->set);
  } catch (const Failure& failure) {
    return Discard(options, "is not whole (" + failure.operation + ")");
  }
  old->config()->epoch = state_->epoch;
  if (state_->objects[state_->set & 1] == options.hash) return Adopt(options, std::move(*old));
  std::optional<Programs> next = Programs::Load(options.load, state_->set + 1, &*old, {});
  if (!next) return Replace(options);
  Upgrade(options, std::move(*old), std::move(*next));
}

void Session::Discard(const Options& options, const std::string& reason) {
  notes_.push_back("what a dead edge left " + reason + ", and is removed: what it had not released is lost");
  begin_ = {};
  previous_.reset();
  pins_.Remove(kStatePin);
  LoadAnew(options);
}

void Session::Adopt(const Options& options, Programs old) {
  programs_ = std::move(old);
  // An end in order that was not reached has left no links.
  programs_.Attach();
  programs_.Pin(pins_);
  filter_ = {KeysOf<uint32_t>("filter_pids"), KeysOf<Comm>("filter_comms"), KeysOf<uint64_t>("filter_cgroups")};
  std::memcpy(programs_.config()->call_of, options.load.call_of.data(), options.load.call_of.size());
  OpenLanes();
  Observe(options);
  notes_.push_back("taken over from a dead edge");
}

void Session::Upgrade(const Options& options, Programs old, Programs next) {
  try {
    next.Attach();
    next.Pin(pins_);
  } catch (...) {
    next.Unpin(pins_);
    throw;
  }
  state_->objects[next.number() & 1] = options.hash;
  state_->missed += SkippedBy(old);
  Publish(state_->set, next.number());
  programs_ = std::move(next);
  OpenLanes();
  Observe(options, &old);
  old.Detach(pins_);
  old.Unpin(pins_);
  notes_.push_back("taken over from a dead edge with other programs: calls and connects in progress are not told");
}

void Session::Replace(const Options& options) {
  Account account = state_->Current();
  account.marks[0] = account.marks[1] = 0;
  // Summaries that were read may be in the topic: their numbers must not name others.
  uint64_t& told = account.marks[kSummaries];
  told = std::max(told, state_->flips[state_->epoch & 1].before + state_->made);
  // The seqs go on and the counts of drops begin anew: what was declared is accounted for like what was told.
  for (size_t i = 0; i < RINGSIDE_CLASS_COUNT; i++) account.events[i] += std::exchange(account.declared[i], 0);
  begin_ = {0, 0, account.marks[kSummaries]};
  if (previous_) previous_ = account;

  const std::vector<uint64_t> seqs = Programs::Stop(pins_, state_->set);
  programs_ = *Programs::Load(options.load, state_->set + 1, nullptr, seqs);
  MakeState(options.hash, state_->seq_before, account);
  programs_.Attach();
  programs_.Pin(pins_);
  pins_.Pin(state_map_.get(), kNextStatePin);
  pins_.Rename(kNextStatePin, kStatePin);
  Programs::RemoveOthers(pins_, programs_.number());
  OpenLanes();
  Observe(options);
  notes_.push_back(
      "taken over from a dead edge whose rings cannot be kept: what it had not released is lost, and shows as a gap");
}

void Session::OpenLanes() {
  const int read_write = PROT_READ | PROT_WRITE;
  for (size_t ring = 0; ring < kRings.size(); ring++) {
    rings_[ring] = RingReader(programs_.Map(kRings[ring]), programs_.MaxEntries(kRings[ring]), begin_[ring]);
  }
  counters_ = Mapping(programs_.Map(kCounters), sizeof(ringside_counters) * RINGSIDE_CPU_MAX, PROT_READ, 0, "counters");
  used_ = Mapping(programs_.Map(kUsed), 2 * sizeof(ringside_used), read_write, 0, "used");
  const size_t groups = programs_.MaxEntries(kGroups);
  groups_ = Mapping(programs_.Map(kGroups), groups * sizeof(ringside_group), read_write, 0, "groups");
}

void Session::Observe(const Options& options, const Programs* old) {
  programs_.Identify(options.ignore_family);
  FillFilter(options.filter);
  // A call that the old programs saw begin, they alone could tell; one that begins from here on, only the new ones.
  if (old != nullptr) Mute(old->config());
  ApplyFilter();
  SetModes(options.mode_of);
  // Whoever marked them knew their programs; this session does not.
  std::memset(programs_.config()->go, 0, sizeof(ringside_config::go));
  Publish(programs_.config()->go_functions, options.go_functions);
  ResumeSummaries();
  if (RingBytes() != std::array<uint32_t, 2>{options.load.security_ring_bytes, options.load.ring_bytes}) {
    notes_.push_back("the rings keep the sizes they were made with");
  }
}

std::array<uint32_t, 2> Session::RingBytes() const {
  return {programs_.MaxEntries(kSecurityRing), programs_.MaxEntries(kRestRing)};
}

size_t Session::Read(uint8_t* into, size_t bytes) {
  const size_t left = frozen_.records.size() - frozen_read_;
  const size_t kept = left > 0 ? kLongestRecord : 0;
  size_t filled = rings_[0].Read(into, bytes - bytes / kShareOfRest - kept);
  filled += rings_[1].Read(into + filled, bytes - filled - kept);
  size_t end = frozen_read_;
  while (end < frozen_.records.size()) {
    const auto* event = reinterpret_cast<const ringside_event*>(frozen_.records.data() + end);
    if (end + event->size - frozen_read_ > bytes - filled) break;
    end += event->size;
  }
  std::memcpy(into + filled, frozen_.records.data() + frozen_read_, end - frozen_read_);
  filled += end - frozen_read_;
  frozen_read_ = end;
  return filled;
}

void Session::Release(const Account& account) {
  const uint64_t summaries = account.marks[kSummaries];
  if (summaries < state_->Current().marks[kSummaries] || summaries > MadeUntil()) {
    throw Failure{"release summaries that were not read", ERANGE, ""};
  }
  for (size_t ring = 0; ring < kRings.size(); ring++) rings_[ring].CheckRelease(account.marks[ring]);
  const uint32_t next = 1 - (state_->account & 1);
  state_->accounts[next] = account;
  Publish(state_->account, next);
  for (size_t ring = 0; ring < kRings.size(); ring++) rings_[ring].Release(account.marks[ring]);
  if (!collecting_ && state_->IsPending() && summaries == MadeUntil()) ClearFrozen();
}

double Session::Pressure() const { return std::max(rings_[0].Pressure(), rings_[1].Pressure()); }

const ringside_group* Session::FrozenGroups() const {
  const uint32_t half = (state_->epoch - 1) & 1;
  return groups_.as<ringside_group>() + half * programs_.config()->groups;
}

size_t Session::FrozenCount() const {
  const uint32_t half = (state_->epoch - 1) & 1;
  return std::min(used_.as<ringside_used>()[half].groups, programs_.config()->groups);
}

bool Session::BeginSummaries() {
  const ringside_config* config = programs_.config();
  const auto* modes = &config->mode_of[0][0];
  const bool counts = std::any_of(modes, modes + sizeof(config->mode_of), [](uint8_t mode) {
    return (mode & RINGSIDE_MODE_MASK) == RINGSIDE_MODE_COUNT;
  });
  const bool counted = used_.as<ringside_used>()[state_->epoch & 1].groups > 0;
  if (collecting_ || state_->IsPending() || !(counts || counted)) return false;
  Freeze();
  collecting_ = true;
  return true;
}

void Session::Freeze() {
  const uint64_t before = MadeUntil();
  const uint64_t since_ns = state_->flips[state_->epoch & 1].time_ns;
  const uint32_t epoch = state_->epoch + 1;
  Publish(state_->made, 0);
  state_->flips[epoch & 1] = {MonotonicNs(), since_ns, before};
  Publish(state_->epoch, epoch);
  Publish(programs_.config()->epoch, epoch);
  made_ = 0;
}

Summaries Session::CollectSummaries() const {
  const Flip& flip = state_->flips[state_->epoch & 1];
  return Summarize(FrozenGroups(), FrozenCount(), state_->seq_before + flip.before, flip.time_ns,
                   flip.time_ns - flip.since_ns);
}

void Session::InstallSummaries(Summaries summaries) {
  collecting_ = false;
  frozen_ = std::move(summaries);
  frozen_read_ = 0;
  made_ = frozen_.count;
  Publish(state_->made, static_cast<uint32_t>(made_));
  counted_until_ns_ = state_->flips[state_->epoch & 1].time_ns;
  if (made_ == 0) ClearFrozen();
  if (last_is_due_) FreezeLast();
}

void Session::ClearFrozen() {
  // Groups first: while `used` stands, they are found again and zeroed again.
  Publish(state_->clearing, state_->epoch);
  const uint32_t half = (state_->epoch - 1) & 1;
  const size_t first = static_cast<size_t>(half) * programs_.config()->groups;
  std::memset(static_cast<void*>(groups_.as<ringside_group>() + first), 0, FrozenCount() * sizeof(ringside_group));
  Publish(used_.as<ringside_used>()[half].groups, 0);
  Publish(state_->cleared, state_->epoch);
  frozen_ = {};
  frozen_read_ = 0;
  if (last_is_due_) FreezeLast();
}

void Session::ResumeSummaries() {
  const Flip& flip = state_->flips[state_->epoch & 1];
  if (state_->epoch > 0) counted_until_ns_ = flip.time_ns;
  made_ = begin_[kSummaries] - flip.before;
  if (!state_->IsPending()) return;
  WaitForPrograms();
  if (state_->clearing == state_->epoch) return ClearFrozen();
  InstallSummaries(CollectSummaries());
  for (uint64_t left = begin_[kSummaries] - flip.before; left > 0 && state_->IsPending(); left--) {
    frozen_read_ += reinterpret_cast<const ringside_event*>(frozen_.records.data() + frozen_read_)->size;
  }
  if (state_->IsPending() && begin_[kSummaries] == MadeUntil()) ClearFrozen();
}

template <typename Key>
std::set<Key> Session::KeysOf(const char* name) const {
  std::set<Key> keys;
  Key key;
  const Key* before = nullptr;
  for (Key next; bpf_map_get_next_key(programs_.Map(name), before, &next) == 0; before = &key) {
    key = next;
    keys.insert(key);
  }
  return keys;
}

template <typename Key>
void Session::ReplaceKeys(const char* name, std::set<Key>& present, const std::set<Key>& wanted) {
  const int map = programs_.Map(name);
  const uint8_t member = 1;
  for (const Key& key : wanted) {
    if (present.count(key) != 0) continue;
    if (bpf_map_update_elem(map, &key, &member, BPF_ANY) != 0) throw Failure{std::string("add to ") + name, errno, ""};
    present.insert(key);
  }
  for (auto key = present.begin(); key != present.end();) {
    if (wanted.count(*key) != 0) {
      ++key;
      continue;
    }
    if (bpf_map_delete_elem(map, &*key) != 0) throw Failure{std::string("remove from ") + name, errno, ""};
    key = present.erase(key);
  }
}

void Session::FillFilter(const Filter& filter) {
  ReplaceKeys("filter_pids", filter_.pids, filter.pids);
  ReplaceKeys("filter_comms", filter_.comms, filter.comms);
  ReplaceKeys("filter_cgroups", filter_.cgroups, filter.cgroups);
}

void Session::ApplyFilter() {
  ringside_config* config = programs_.config();
  const uint32_t filters = (filter_.pids.empty() ? 0 : RINGSIDE_FILTER_PIDS) |
                           (filter_.comms.empty() ? 0 : RINGSIDE_FILTER_COMMS) |
                           (filter_.cgroups.empty() ? 0 : RINGSIDE_FILTER_CGROUPS);
  __atomic_store_n(&config->filters, filters, __ATOMIC_RELEASE);
  // Last: decisions made from here on are kept. 0 is what a task begins with, undecided.
  __atomic_add_fetch(&config->generation, 1, __ATOMIC_RELEASE);
}

void Session::SetFilter(const Filter& filter) {
  FillFilter(filter);
  if (!detaching_) ApplyFilter();
}

void Session::SetModes(const Modes& mode_of) {
  if (!detaching_) ringside::SetModes(programs_.config(), mode_of);
}

bool Session::MarkGo(uint32_t pid, uint64_t start_ns) {
  ringside_go_process* set = GoSet(programs_.config(), pid);
  ringside_go_process* end = set + RINGSIDE_GO_WAYS;
  const auto is_same = [pid](const ringside_go_process& slot) { return slot.pid == pid; };
  const auto is_free = [](const ringside_go_process& slot) { return slot.pid == 0 || !IsAlive(slot.pid); };
  ringside_go_process* slot = std::find_if(set, end, is_same);
  if (slot == end) slot = std::find_if(set, end, is_free);
  if (slot == end) return false;
  Publish(slot->pid, 0);
  slot->start_ns = start_ns;
  Publish(slot->pid, pid);
  return true;
}

void Session::UnmarkGo(uint32_t pid) {
  ringside_go_process* set = GoSet(programs_.config(), pid);
  for (ringside_go_process* slot = set; slot != set + RINGSIDE_GO_WAYS; slot++) {
    if (slot->pid == pid) Publish(slot->pid, 0);
  }
}

void Session::Detach() {
  detaching_ = true;
  std::call_once(detach_once_, [this] {
    // A system call's tracepoint may be entered before the link goes and run its program after it: muted, it
    // then does nothing. All other programs run with RCU held, which the barrier waits for.
    Mute(programs_.config());
    programs_.Detach(pins_);
    WaitForPrograms();
    detached_ = true;
  });
}

void Session::FreezeLast() {
  if (is_last_frozen_) return;
  last_is_due_ = collecting_ || state_->IsPending();
  if (last_is_due_) return;
  is_last_frozen_ = true;
  Freeze();
  InstallSummaries(CollectSummaries());
}

bool Session::Ended() const {
  return detached_ && is_last_frozen_ && frozen_read_ == frozen_.records.size() &&
         std::all_of(rings_.begin(), rings_.end(), [](const RingReader& ring) { return ring.IsDrained(); });
}

void Session::Close() {
  if (!pins_ || !detached_) return;
  // Without it, the others are waste.
  pins_.Remove(kStatePin);
  programs_.Unpin(pins_);
}

uint64_t Session::Skipped() {
  const uint64_t now = MonotonicNs();
  if (now >= skipped_until_ns_) {
    skipped_ = state_->missed + SkippedBy(programs_);
    skipped_until_ns_ = now + kSkippedEveryNs;
  }
  return skipped_;
}

std::optional<uint64_t> Session::ProgramTimeNs() const {
  if (!statistics_) return std::nullopt;
  const std::optional<ProgramCost> cost = CostOf(programs_);
  return cost ? std::optional(cost->run_ns) : std::nullopt;
}

}  // namespace ringside
