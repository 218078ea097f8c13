// SPDX-License-Identifier: Apache-2.0
#include "takeover.h"

#include <bpf.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "clock.h"
#include "publish.h"

namespace ringside {

namespace {

constexpr const char* kStatePin = "released";
constexpr const char* kNextStatePin = "next-released";

// Unit of the clock that seq starts at: faster than any CPU makes events, and exact as a double for 28 years of uptime.
constexpr uint64_t kNsPerSeq = 100;

Mapping MapState(int fd) { return Mapping(fd, sizeof(State), PROT_READ | PROT_WRITE, 0, kStatePin); }

void CreateState(Attached& attached, const ObjectHash& hash, uint64_t seq_before, const Account& account) {
  bpf_map_create_opts create{};
  create.sz = sizeof(create);
  create.map_flags = BPF_F_MMAPABLE;
  Descriptor map(bpf_map_create(BPF_MAP_TYPE_ARRAY, kStatePin, sizeof(uint32_t), sizeof(State), 1, &create));
  if (!map) throw Failure{"create map released", errno, ""};
  attached.state = MapState(map.get());
  attached.state_map = std::move(map);
  auto* state = attached.state.as<State>();
  state->version = kStateVersion;
  state->event_version = RINGSIDE_EVENT_VERSION;
  state->set = attached.programs.number();
  state->objects[state->set & 1] = hash;
  state->seq_before = seq_before;
  state->flips[0].time_ns = MonotonicNs();
  state->flips[0].before = account.marks[kSummaries];
  state->accounts[0] = account;
}

// False if the state has another version.
bool OpenState(Attached& attached) {
  bpf_map_info info{};
  uint32_t bytes = sizeof(info);
  const int map = attached.state_map.get();
  if (bpf_map_get_info_by_fd(map, &info, &bytes) != 0 || info.value_size != sizeof(State)) return false;
  attached.state = MapState(map);
  return attached.state.as<State>()->version == kStateVersion;
}

Attached LoadAnew(const Options& options, const Pins& pins) {
  if (pins) Programs::RemoveOthers(pins, 0);
  const uint64_t seq_before = MonotonicNs() / kNsPerSeq;
  const std::vector<uint64_t> seqs(RINGSIDE_CPU_MAX, seq_before);
  Attached attached;
  attached.programs = *Programs::Load(options.load, 1, nullptr, seqs);
  CreateState(attached, options.hash, seq_before, {});
  attached.programs.Attach();
  if (pins) {
    attached.programs.Pin(pins);
    // Last: a successor ignores all other pins without this one.
    pins.Pin(attached.state_map.get(), kStatePin);
  }
  return attached;
}

Attached Discard(const Options& options, const Pins& pins, const std::string& reason) {
  pins.Remove(kStatePin);
  Attached attached = LoadAnew(options, pins);
  attached.note = "removed the pins of a dead edge, whose unreleased events are lost: " + reason;
  return attached;
}

// The same object file: the pinned programs stay.
void Adopt(Attached& attached, const Options& options, const Pins& pins, Programs old) {
  attached.programs = std::move(old);
  // A predecessor that died while it ended has removed some links.
  attached.programs.Attach();
  attached.programs.Pin(pins);
  std::memcpy(attached.programs.config()->call_of, options.load.call_of.data(), options.load.call_of.size());
  attached.note = "taken over from a dead edge";
}

// Another object file whose maps are compatible: its programs replace the pinned ones and keep their maps.
void Upgrade(Attached& attached, const Options& options, const Pins& pins, Programs old, Programs next) {
  try {
    next.Attach();
    next.Pin(pins);
  } catch (...) {
    next.Unpin(pins);
    throw;
  }
  auto* state = attached.state.as<State>();
  state->objects[next.number() & 1] = options.hash;
  state->missed += old.Cost().value_or(ProgramCost{}).skipped;
  Publish(state->set, next.number());
  attached.programs = std::move(next);
  attached.replaced = std::move(old);
  attached.note = "taken over from a dead edge with other programs: calls and connects in progress are not emitted";
}

// Maps of another layout: only the account and the seqs are kept.
void Replace(Attached& attached, const Options& options, const Pins& pins) {
  const auto* state = attached.state.as<State>();
  Account account = state->Current();
  std::fill_n(account.marks, kRings, 0);
  // Summaries that were read may be in the topic: their seqs must not be assigned again.
  uint64_t& summaries = account.marks[kSummaries];
  summaries = std::max(summaries, state->flips[state->epoch & 1].before + state->made);
  // The seqs continue, but the counts of drops start at 0: declared losses become accounted events.
  for (size_t i = 0; i < RINGSIDE_CLASS_COUNT; i++) account.events[i] += std::exchange(account.declared[i], 0);
  attached.begin = {};
  attached.begin[kSummaries] = summaries;
  if (attached.previous) attached.previous = account;

  const uint32_t number = state->set;
  const uint64_t seq_before = state->seq_before;
  const std::vector<uint64_t> seqs = Programs::Stop(pins, number);
  attached.programs = *Programs::Load(options.load, number + 1, nullptr, seqs);
  CreateState(attached, options.hash, seq_before, account);
  attached.programs.Attach();
  attached.programs.Pin(pins);
  pins.Pin(attached.state_map.get(), kNextStatePin);
  pins.Rename(kNextStatePin, kStatePin);
  Programs::RemoveOthers(pins, attached.programs.number());
  attached.note =
      "taken over from a dead edge whose rings cannot be kept: its unreleased events are lost, and leave a gap";
}

Attached TakeOver(const Options& options, const Pins& pins) {
  pins.Remove(kNextStatePin);
  Attached attached;
  attached.state_map = pins.Get(kStatePin);
  if (!OpenState(attached)) return Discard(options, pins, "they have another version");
  const auto* state = attached.state.as<State>();
  Programs::RemoveOthers(pins, state->set);
  const Account& account = state->Current();
  std::copy(std::begin(account.marks), std::end(account.marks), attached.begin.begin());
  if (account.run[0] != 0) attached.previous = account;

  if (state->event_version != RINGSIDE_EVENT_VERSION) {
    Replace(attached, options, pins);
    return attached;
  }
  std::optional<Programs> old;
  try {
    old = Programs::Open(pins, state->set);
  } catch (const Failure& failure) {
    return Discard(options, pins, "they are incomplete (" + failure.operation + ")");
  }
  old->config()->epoch = state->epoch;
  if (state->objects[state->set & 1] == options.hash) {
    Adopt(attached, options, pins, std::move(*old));
    return attached;
  }
  std::optional<Programs> next = Programs::Load(options.load, state->set + 1, &*old, {});
  if (next) {
    Upgrade(attached, options, pins, std::move(*old), std::move(*next));
  } else {
    Replace(attached, options, pins);
  }
  return attached;
}

}  // namespace

Attached AttachPrograms(const Options& options, const Pins& pins) {
  return pins && pins.Has(kStatePin) ? TakeOver(options, pins) : LoadAnew(options, pins);
}

void RemovePins(const Pins& pins, const Programs& programs) {
  // First: a successor ignores all other pins without this one.
  pins.Remove(kStatePin);
  programs.Unpin(pins);
}

}  // namespace ringside
