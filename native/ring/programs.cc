// SPDX-License-Identifier: Apache-2.0
#include "programs.h"

#include <bpf.h>
#include <btf.h>
#include <fcntl.h>
#include <libbpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "libbpf_log.h"

namespace ringside {

namespace {

constexpr const char* kMapPin = "map";
constexpr const char* kProgramPin = "program";
constexpr const char* kLinkPin = "link";
constexpr const char* kIdentify = "identify";
const std::string kTracepoint = "tp_btf/";

using Object = std::unique_ptr<bpf_object, decltype(&bpf_object__close)>;

// libbpf reports failure as a negative return and in errno; the latter also covers NULL.
[[noreturn]] void Fail(const std::string& operation, const LibbpfLog& log) {
  throw Failure{operation, errno, log.text()};
}

std::string KeyOf(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

bpf_map* FindMap(bpf_object* object, const std::string& key) {
  bpf_map* map;
  bpf_object__for_each_map(map, object) {
    if (KeyOf(bpf_map__name(map)) == key) return map;
  }
  throw Failure{"find map " + key, ENOENT, ""};
}

template <typename T>
T* Initial(bpf_object* object, const char* name, size_t wanted) {
  size_t bytes = 0;
  void* value = bpf_map__initial_value(FindMap(object, name), &bytes);
  if (value == nullptr || bytes != wanted) throw Failure{std::string("lay out ") + name, EINVAL, ""};
  return static_cast<T*>(value);
}

bpf_map_info MapInfo(int fd) {
  bpf_map_info info{};
  uint32_t bytes = sizeof(info);
  if (bpf_map_get_info_by_fd(fd, &info, &bytes) != 0) throw Failure{"ask about a map", errno, ""};
  return info;
}

bpf_prog_info ProgramInfo(int fd) {
  bpf_prog_info info{};
  uint32_t bytes = sizeof(info);
  if (bpf_prog_get_info_by_fd(fd, &info, &bytes) != 0) throw Failure{"ask about a program", errno, ""};
  return info;
}

Descriptor Copy(int fd, const std::string& what) {
  Descriptor copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) throw Failure{"keep " + what, errno, ""};
  return copy;
}

// Whether programs that were built for `map` can use the one behind `fd`, whatever its number of entries.
bool IsAlike(const bpf_map* map, int fd) {
  const bpf_map_info info = MapInfo(fd);
  return info.type == static_cast<uint32_t>(bpf_map__type(map)) && info.key_size == bpf_map__key_size(map) &&
         info.value_size == bpf_map__value_size(map) && info.map_flags == bpf_map__map_flags(map);
}

// Programs without which the rest goes on: they follow what the kernel changes from version to version.
constexpr std::string_view kOptional = "io_uring_";

bool IsOptional(const bpf_program* program) {
  return std::string_view(bpf_program__name(program)).substr(0, kOptional.size()) == kOptional;
}

// A tracepoint that the kernel does not have must not keep the rest from loading.
std::vector<std::string> LeaveOut(bpf_object* object, bool with_optional) {
  const std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), btf__free);
  std::vector<std::string> left_out;
  bpf_program* program;
  bpf_object__for_each_program(program, object) {
    const std::string section = bpf_program__section_name(program);
    if (kernel == nullptr || section.rfind(kTracepoint, 0) != 0) continue;
    const std::string type = "btf_trace_" + section.substr(kTracepoint.size());
    const bool is_there = btf__find_by_name_kind(kernel.get(), type.c_str(), BTF_KIND_TYPEDEF) >= 0;
    if (is_there && (with_optional || !IsOptional(program))) continue;
    bpf_program__set_autoload(program, false);
    left_out.emplace_back(bpf_program__name(program));
  }
  return left_out;
}

std::string PinName(uint32_t number, const char* kind, const std::string& key) {
  return std::to_string(number) + "-" + kind + "-" + key;
}

struct PinParts {
  uint32_t number;
  std::string kind;
  std::string key;
};

// nullopt for what is pinned under no number.
std::optional<PinParts> PartsOf(const std::string& pin) {
  const size_t first = pin.find('-'), second = pin.find('-', first + 1);
  if (second == std::string::npos || pin.find_first_not_of("0123456789") != first) return std::nullopt;
  return PinParts{static_cast<uint32_t>(std::stoul(pin)), pin.substr(first + 1, second - first - 1),
                  pin.substr(second + 1)};
}

// Of another version, it is left alone.
void MuteConfig(const Descriptor& map) {
  if (MapInfo(map.get()).value_size != sizeof(ringside_config)) return;
  Mute(Mapping(map.get(), sizeof(ringside_config), PROT_READ | PROT_WRITE, 0, "config").as<ringside_config>());
}

}  // namespace

void SetModes(ringside_config* config, const Modes& mode_of) {
  uint8_t* entries = &config->mode_of[0][0];
  for (size_t i = 0; i < mode_of.size(); i++) {
    const bool is_off = (entries[i] & RINGSIDE_MODE_MASK) == RINGSIDE_MODE_OFF;
    const int begins = is_off && mode_of[i] != RINGSIDE_MODE_OFF ? RINGSIDE_MODE_ACTIVATION : 0;
    const int activation = (entries[i] & ~RINGSIDE_MODE_MASK) + begins;
    __atomic_store_n(&entries[i], static_cast<uint8_t>(activation | mode_of[i]), __ATOMIC_RELAXED);
  }
}

void Mute(ringside_config* config) {
  SetModes(config, Modes{});
  __atomic_store_n(&config->filters, RINGSIDE_FILTER_REJECT_ALL, __ATOMIC_RELEASE);
  __atomic_add_fetch(&config->generation, 1, __ATOMIC_RELEASE);
}

void WaitForPrograms() {
  if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0) usleep(100000);
}

std::optional<Programs> Programs::Load(const LoadOptions& options, uint32_t number, const Programs* keep,
                                       const std::vector<uint64_t>& seqs) {
  try {
    return Load(options, number, keep, seqs, true);
  } catch (const Failure&) {
    return Load(options, number, keep, seqs, false);
  }
}

std::optional<Programs> Programs::Load(const LoadOptions& options, uint32_t number, const Programs* keep,
                                       const std::vector<uint64_t>& seqs, bool with_optional) {
  LibbpfLog log;
  const Object object(bpf_object__open_file(options.object.c_str(), nullptr), bpf_object__close);
  if (object == nullptr) Fail("open " + options.object, log);
  if (keep != nullptr) {
    for (const char* name : kLastingMaps) {
      if (!IsAlike(FindMap(object.get(), name), keep->Map(name))) return std::nullopt;
    }
  }
  Programs set;
  set.number_ = number;
  set.left_out_ = LeaveOut(object.get(), with_optional);

  auto* config = Initial<ringside_config>(object.get(), kConfig, sizeof(ringside_config));
  std::memcpy(config->call_of, options.call_of.data(), sizeof(config->call_of));
  Mute(config);

  if (keep == nullptr) {
    const size_t bytes = sizeof(ringside_counters) * RINGSIDE_CPU_MAX;
    auto* counters = Initial<ringside_counters>(object.get(), kCounters, bytes);
    for (size_t cpu = 0; cpu < RINGSIDE_CPU_MAX; cpu++) counters[cpu].seq = seqs[cpu];
    bpf_map__set_max_entries(FindMap(object.get(), kSecurityRing), options.security_ring_bytes);
    bpf_map__set_max_entries(FindMap(object.get(), kRestRing), options.ring_bytes);
  } else {
    config->epoch = keep->config()->epoch;
    config->groups = keep->config()->groups;
    for (const char* name : kLastingMaps) {
      if (bpf_map__reuse_fd(FindMap(object.get(), name), keep->Map(name)) != 0) Fail("reuse a map", log);
    }
  }
  if (bpf_object__load(object.get()) != 0) Fail("load", log);

  bpf_map* map;
  bpf_object__for_each_map(map, object.get()) {
    const std::string key = KeyOf(bpf_map__name(map));
    set.maps_[key] = Copy(bpf_map__fd(map), key);
  }
  bpf_program* program;
  bpf_object__for_each_program(program, object.get()) {
    if (!bpf_program__autoload(program)) continue;
    const std::string key = bpf_program__name(program);
    set.programs_[key] = Copy(bpf_program__fd(program), key);
  }
  set.MapConfig();
  return set;
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
  // A link that nobody holds goes by and by.
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
  // A link that nobody holds goes by and by.
  usleep(100000);
  WaitForPrograms();
  const Descriptor map = pins.Get(PinName(number, kMapPin, kCounters));
  const uint32_t bytes = MapInfo(map.get()).value_size;
  const Mapping counters(map.get(), bytes, PROT_READ, 0, "counters");
  // In every version there is one struct to a CPU, and seq comes first.
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
  if (bpf_prog_test_run_opts(program->second.get(), &run) != 0) Fail("identify", log);
}

ProgramCost Programs::Cost() const {
  ProgramCost cost{};
  for (const auto& [key, program] : programs_) {
    const bpf_prog_info info = ProgramInfo(program.get());
    cost.run_ns += info.run_time_ns;
    cost.skipped += info.recursion_misses;
  }
  return cost;
}

}  // namespace ringside
