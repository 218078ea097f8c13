// SPDX-License-Identifier: Apache-2.0
#include "programs.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>

#include <cstring>

#include "config.h"
#include "kernel_objects.h"
#include "libbpf_log.h"

namespace ringside {

namespace {

constexpr const char* kMapPin = "map";
constexpr const char* kProgramPin = "program";
constexpr const char* kLinkPin = "link";
constexpr const char* kIdentify = "identify";

std::string PinName(uint32_t number, const char* kind, const std::string& key) {
  return std::to_string(number) + "-" + kind + "-" + key;
}

struct PinParts {
  uint32_t number;
  std::string kind;
  std::string key;
};

// nullopt for a pin without a number.
std::optional<PinParts> PartsOf(const std::string& pin) {
  const size_t first = pin.find('-'), second = pin.find('-', first + 1);
  if (second == std::string::npos || pin.find_first_not_of("0123456789") != first) return std::nullopt;
  return PinParts{static_cast<uint32_t>(std::stoul(pin)), pin.substr(first + 1, second - first - 1),
                  pin.substr(second + 1)};
}

// Leaves a config of another version unchanged.
void MuteConfig(const Descriptor& map) {
  if (MapInfo(map.get()).value_size != sizeof(ringside_config)) return;
  Mute(Mapping(map.get(), sizeof(ringside_config), PROT_READ | PROT_WRITE, 0, "config").as<ringside_config>());
}

}  // namespace

void WaitForPrograms() {
  if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0) usleep(100000);
}

Programs Programs::Open(const Pins& pins, uint32_t number) {
  Programs set;
  set.number_ = number;
  for (const std::string& name : pins.Names()) {
    const std::optional<PinParts> parts = PartsOf(name);
    if (!parts || parts->number != number) continue;
    auto& of = parts->kind == kMapPin ? set.maps_ : parts->kind == kLinkPin ? set.links_ : set.programs_;
    of[parts->key] = pins.Get(name);
  }
  for (const char* name : kLastingMaps) set.Map(name);
  if (set.programs_.count(kIdentify) == 0) throw Failure{"find program identify", ENOENT, ""};
  set.MapConfig();
  return set;
}

void Programs::RemoveOthers(const Pins& pins, uint32_t number) {
  const std::vector<std::string> names = pins.Names();
  const auto each = [&](const char* kind, auto&& visit) {
    for (const std::string& name : names) {
      const std::optional<PinParts> parts = PartsOf(name);
      if (parts && parts->number != number && (kind == nullptr || parts->kind == kind)) visit(name, *parts);
    }
  };
  // The kernel detaches an unpinned link with a delay: muted, its program does nothing in between.
  each(kMapPin, [&](const std::string& name, const PinParts& parts) {
    if (parts.key == kConfig) MuteConfig(pins.Get(name));
  });
  each(kLinkPin, [&](const std::string& name, const PinParts&) { pins.Remove(name); });
  each(nullptr, [&](const std::string& name, const PinParts&) { pins.Remove(name); });
}

std::vector<uint64_t> Programs::Stop(const Pins& pins, uint32_t number) {
  MuteConfig(pins.Get(PinName(number, kMapPin, kConfig)));
  for (const std::string& name : pins.Names()) {
    const std::optional<PinParts> parts = PartsOf(name);
    if (parts && parts->number == number && parts->kind == kLinkPin) pins.Remove(name);
  }
  // The kernel detaches an unpinned link with a delay.
  usleep(100000);
  WaitForPrograms();
  const Descriptor map = pins.Get(PinName(number, kMapPin, kCounters));
  const uint32_t bytes = MapInfo(map.get()).value_size;
  const Mapping counters(map.get(), bytes, PROT_READ, 0, "counters");
  // Every version has one struct per CPU, which begins with seq.
  const size_t stride = bytes / RINGSIDE_CPU_MAX;
  std::vector<uint64_t> seqs(RINGSIDE_CPU_MAX);
  for (size_t cpu = 0; cpu < seqs.size(); cpu++) std::memcpy(&seqs[cpu], counters.data() + cpu * stride, sizeof(seqs[cpu]));
  return seqs;
}

void Programs::MapConfig() {
  config_ = Mapping(Map(kConfig), sizeof(ringside_config), PROT_READ | PROT_WRITE, 0, "config");
}

int Programs::Map(const char* name) const {
  const auto found = maps_.find(name);
  if (found == maps_.end()) throw Failure{std::string("find map ") + name, ENOENT, ""};
  return found->second.get();
}

uint32_t Programs::MaxEntries(const char* name) const { return MapInfo(Map(name)).max_entries; }

void Programs::Attach() {
  for (const auto& [key, program] : programs_) {
    if (links_.count(key) != 0 || ProgramInfo(program.get()).type != BPF_PROG_TYPE_TRACING) continue;
    LibbpfLog log;
    Descriptor link(bpf_raw_tracepoint_open(nullptr, program.get()));
    if (!link) Fail("attach " + key, log);
    links_[key] = std::move(link);
  }
}

void Programs::Pin(const Pins& pins) const {
  const auto each = [&](const char* kind, const std::map<std::string, Descriptor>& of) {
    for (const auto& [key, object] : of) {
      const std::string name = PinName(number_, kind, key);
      if (!pins.Has(name)) pins.Pin(object.get(), name);
    }
  };
  each(kMapPin, maps_);
  each(kProgramPin, programs_);
  each(kLinkPin, links_);
}

void Programs::Remove(const Pins& pins, const char* kind, const std::map<std::string, Descriptor>& of) const {
  for (const auto& [key, object] : of) pins.Remove(PinName(number_, kind, key));
}

void Programs::Unpin(const Pins& pins) const {
  Remove(pins, kLinkPin, links_);
  Remove(pins, kProgramPin, programs_);
  Remove(pins, kMapPin, maps_);
}

void Programs::Detach(const Pins& pins) {
  if (pins) Remove(pins, kLinkPin, links_);
  links_.clear();
}

void Programs::Identify(bool family) const {
  LibbpfLog log;
  uint32_t request = family ? 1 : 0;
  bpf_test_run_opts run{};
  run.sz = sizeof(run);
  run.ctx_in = &request;
  run.ctx_size_in = sizeof(request);
  const auto program = programs_.find(kIdentify);
  if (program == programs_.end()) throw Failure{"find program identify", ENOENT, ""};
  if (bpf_prog_test_run_opts(program->second.get(), &run) != 0) Fail("run program identify", log);
}

std::optional<ProgramCost> Programs::Cost() const {
  ProgramCost cost{};
  try {
    for (const auto& [key, program] : programs_) {
      const bpf_prog_info info = ProgramInfo(program.get());
      cost.run_ns += info.run_time_ns;
      cost.skipped += info.recursion_misses;
    }
  } catch (const Failure&) {
    return std::nullopt;
  }
  return cost;
}

}  // namespace ringside
