// SPDX-License-Identifier: Apache-2.0
// Loads a set of programs from the object file.
#include <btf.h>
#include <fcntl.h>
#include <libbpf.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include "config.h"
#include "kernel_objects.h"
#include "libbpf_log.h"
#include "programs.h"

namespace ringside {

namespace {

const std::string kTracepoint = "tp_btf/";

using Object = std::unique_ptr<bpf_object, decltype(&bpf_object__close)>;

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
T* InitialValue(bpf_object* object, const char* name, size_t wanted) {
  size_t bytes = 0;
  void* value = bpf_map__initial_value(FindMap(object, name), &bytes);
  if (value == nullptr || bytes != wanted) throw Failure{std::string("initialize map ") + name, EINVAL, ""};
  return static_cast<T*>(value);
}

Descriptor Duplicate(int fd, const std::string& name) {
  Descriptor copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) throw Failure{"duplicate the descriptor of " + name, errno, ""};
  return copy;
}

// Programs built for `map` can use the map behind `fd`; the number of entries may differ.
bool IsCompatible(const bpf_map* map, int fd) {
  const bpf_map_info info = MapInfo(fd);
  return info.type == static_cast<uint32_t>(bpf_map__type(map)) && info.key_size == bpf_map__key_size(map) &&
         info.value_size == bpf_map__value_size(map) && info.map_flags == bpf_map__map_flags(map);
}

// Prefix of optional programs, whose tracepoints change between kernel versions.
constexpr std::string_view kOptional = "io_uring_";

bool IsOptional(const bpf_program* program) {
  return std::string_view(bpf_program__name(program)).substr(0, kOptional.size()) == kOptional;
}

// The type of the requests that the optional programs read, since Linux 6.0.
constexpr const char* kRequestType = "io_cmd_data";

// Excludes programs whose tracepoint is missing in this kernel, or shows them nothing, so that the others load.
std::vector<std::string> ExcludeUnsupported(bpf_object* object, bool with_optional) {
  const std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), btf__free);
  const bool has_requests =
      kernel != nullptr && btf__find_by_name_kind(kernel.get(), kRequestType, BTF_KIND_STRUCT) >= 0;
  std::vector<std::string> unsupported;
  bpf_program* program;
  bpf_object__for_each_program(program, object) {
    const std::string section = bpf_program__section_name(program);
    if (kernel == nullptr || section.rfind(kTracepoint, 0) != 0) continue;
    const std::string type = "btf_trace_" + section.substr(kTracepoint.size());
    const bool is_there = btf__find_by_name_kind(kernel.get(), type.c_str(), BTF_KIND_TYPEDEF) >= 0;
    const bool is_useful = !IsOptional(program) || (with_optional && has_requests);
    if (is_there && is_useful) continue;
    bpf_program__set_autoload(program, false);
    unsupported.emplace_back(bpf_program__name(program));
  }
  return unsupported;
}

}  // namespace

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
      if (!IsCompatible(FindMap(object.get(), name), keep->Map(name))) return std::nullopt;
    }
  }
  Programs set;
  set.number_ = number;
  set.unsupported_ = ExcludeUnsupported(object.get(), with_optional);

  auto* config = InitialValue<ringside_config>(object.get(), kConfig, sizeof(ringside_config));
  std::memcpy(config->call_of, options.call_of.data(), sizeof(config->call_of));
  Mute(config);

  if (keep == nullptr) {
    const size_t bytes = sizeof(ringside_counters) * RINGSIDE_CPU_MAX;
    auto* counters = InitialValue<ringside_counters>(object.get(), kCounters, bytes);
    for (size_t cpu = 0; cpu < RINGSIDE_CPU_MAX; cpu++) counters[cpu].seq = seqs[cpu];
    for (size_t ring = 0; ring < kRingMaps.size(); ring++) {
      bpf_map__set_max_entries(FindMap(object.get(), kRingMaps[ring]), options.ring_bytes[ring]);
    }
  } else {
    config->epoch = keep->config()->epoch;
    config->groups = keep->config()->groups;
    for (const char* name : kLastingMaps) {
      if (bpf_map__reuse_fd(FindMap(object.get(), name), keep->Map(name)) != 0) Fail("reuse a map", log);
    }
  }
  if (bpf_object__load(object.get()) != 0) Fail("load the programs", log);

  bpf_map* map;
  bpf_object__for_each_map(map, object.get()) {
    const std::string key = KeyOf(bpf_map__name(map));
    set.maps_[key] = Duplicate(bpf_map__fd(map), key);
  }
  bpf_program* program;
  bpf_object__for_each_program(program, object.get()) {
    if (!bpf_program__autoload(program)) continue;
    const std::string key = bpf_program__name(program);
    set.programs_[key] = Duplicate(bpf_program__fd(program), key);
  }
  set.MapConfig();
  return set;
}

}  // namespace ringside
