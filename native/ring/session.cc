// SPDX-License-Identifier: Apache-2.0
#include "session.h"

#include <bpf.h>
#include <btf.h>
#include <libbpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "libbpf_log.h"

namespace ringside {

namespace {

// Of the room of a read, what the security ring leaves for the other, however full it is.
constexpr size_t kShareOfRest = 4;
// In the order in which they are read; a ring's index is its place here.
constexpr std::array<const char*, 2> kRings = {"security_events", "other_events"};

// libbpf reports failure as a negative return and in errno; the latter also covers NULL.
[[noreturn]] void Fail(const std::string& operation, const LibbpfLog& log) {
  throw Failure{operation, errno, log.text()};
}

// Moves faster than any CPU makes events, and stays a whole double for 28 years of uptime.
uint64_t MonotonicTenthsOfMicroseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 10000000 + static_cast<uint64_t>(now.tv_nsec) / 100;
}

}  // namespace

Session::Session(const Options& options) {
  try {
    Configure(options);
    Load();
    Identify(options.ignore_family);
    SetFilter(options.filter);
    OpenRings();
    Attach();
  } catch (...) {
    GiveBack();
    throw;
  }
}

Session::~Session() { GiveBack(); }

void Session::GiveBack() {
  for (bpf_link* link : links_) bpf_link__destroy(link);
  links_.clear();
  bpf_object__close(object_);
  object_ = nullptr;
}

bpf_map* Session::Map(const char* name) const {
  bpf_map* map = bpf_object__find_map_by_name(object_, name);
  if (map == nullptr) throw Failure{std::string("find map ") + name, ENOENT, ""};
  return map;
}

void Session::Configure(const Options& options) {
  LibbpfLog log;
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) throw Failure{"count CPUs", -cpus, log.text()};
  if (cpus > RINGSIDE_CPU_MAX) throw Failure{"count CPUs", E2BIG, "more than RINGSIDE_CPU_MAX"};
  cpus_ = static_cast<uint32_t>(cpus);

  object_ = bpf_object__open_file(options.object.c_str(), nullptr);
  if (object_ == nullptr) Fail("open " + options.object, log);
  const std::array<uint32_t, kRings.size()> ring_bytes = {options.security_ring_bytes, options.ring_bytes};
  for (size_t ring = 0; ring < kRings.size(); ring++) {
    if (bpf_map__set_max_entries(Map(kRings[ring]), ring_bytes[ring]) != 0) Fail("size a ring", log);
  }

  size_t bytes = 0;
  auto* counters = static_cast<ringside_counters*>(bpf_map__initial_value(Map(".data.counters"), &bytes));
  if (bytes != sizeof(ringside_counters) * RINGSIDE_CPU_MAX) throw Failure{"lay out counters", EINVAL, ""};
  seq_before_ = MonotonicTenthsOfMicroseconds();
  for (uint32_t cpu = 0; cpu < RINGSIDE_CPU_MAX; cpu++) counters[cpu].seq = seq_before_;

  auto* config = static_cast<ringside_config*>(bpf_map__initial_value(Map(".data.config"), &bytes));
  if (bytes != sizeof(ringside_config)) throw Failure{"lay out config", EINVAL, ""};
  std::memcpy(config->call_of, options.call_of.data(), sizeof(config->call_of));
  std::memcpy(config->mode_of, options.mode_of.data(), sizeof(config->mode_of));
}

// A tracepoint that the kernel does not have must not keep the rest from loading.
void Session::LeaveOut() {
  const std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), btf__free);
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    const std::string section = bpf_program__section_name(program);
    if (kernel == nullptr || section.rfind("tp_btf/", 0) != 0) continue;
    const std::string type = "btf_trace_" + section.substr(7);
    if (btf__find_by_name_kind(kernel.get(), type.c_str(), BTF_KIND_TYPEDEF) < 0) {
      bpf_program__set_autoload(program, false);
    }
  }
}

void Session::Load() {
  LibbpfLog log;
  LeaveOut();
  if (bpf_object__load(object_) != 0) Fail("load", log);
  // From here on these are the maps themselves, shared with the programs.
  size_t bytes = 0;
  counters_ = static_cast<ringside_counters*>(bpf_map__initial_value(Map(".data.counters"), &bytes));
  config_ = static_cast<ringside_config*>(bpf_map__initial_value(Map(".data.config"), &bytes));
}

void Session::Identify(bool ignore_family) {
  LibbpfLog log;
  uint32_t request = ignore_family ? 1 : 0;
  bpf_test_run_opts run{};
  run.sz = sizeof(run);
  run.ctx_in = &request;
  run.ctx_size_in = sizeof(request);
  const bpf_program* program = bpf_object__find_program_by_name(object_, "identify");
  if (program == nullptr || bpf_prog_test_run_opts(bpf_program__fd(program), &run) != 0) Fail("identify", log);
}

void Session::Attach() {
  bpf_program* program;
  bpf_object__for_each_program(program, object_) {
    if (std::string_view(bpf_program__section_name(program)).rfind("tp_btf/", 0) != 0) continue;
    if (!bpf_program__autoload(program)) continue;
    LibbpfLog log;
    bpf_link* link = bpf_program__attach(program);
    if (link == nullptr) Fail(std::string("attach ") + bpf_program__name(program), log);
    links_.push_back(link);
  }
}

void Session::OpenRings() {
  for (size_t ring = 0; ring < kRings.size(); ring++) {
    const bpf_map* map = Map(kRings[ring]);
    rings_[ring] = RingReader(bpf_map__fd(map), bpf_map__max_entries(map), 0);
  }
}

size_t Session::Read(uint8_t* into, size_t bytes) {
  const size_t security = rings_[0].Read(into, bytes - bytes / kShareOfRest);
  return security + rings_[1].Read(into + security, bytes - security);
}

void Session::Release(const std::array<uint64_t, 2>& positions) {
  for (size_t ring = 0; ring < kRings.size(); ring++) rings_[ring].Release(positions[ring]);
}

double Session::Pressure() const { return std::max(rings_[0].Pressure(), rings_[1].Pressure()); }

template <typename Key>
void Session::Replace(const char* name, std::set<Key>& present, const std::set<Key>& wanted) {
  LibbpfLog log;
  const bpf_map* map = Map(name);
  const uint8_t member = 1;
  for (const Key& key : wanted) {
    if (present.count(key) != 0) continue;
    if (bpf_map__update_elem(map, &key, sizeof(key), &member, sizeof(member), BPF_ANY) != 0) {
      Fail(std::string("add to ") + name, log);
    }
    present.insert(key);
  }
  for (auto key = present.begin(); key != present.end();) {
    if (wanted.count(*key) != 0) {
      ++key;
      continue;
    }
    if (bpf_map__delete_elem(map, &*key, sizeof(*key), 0) != 0) Fail(std::string("remove from ") + name, log);
    key = present.erase(key);
  }
}

void Session::SetFilter(const Filter& filter) {
  Replace("filter_pids", filter_.pids, filter.pids);
  Replace("filter_comms", filter_.comms, filter.comms);
  Replace("filter_cgroups", filter_.cgroups, filter.cgroups);
  const uint32_t filters = (filter.pids.empty() ? 0 : RINGSIDE_FILTER_PIDS) |
                           (filter.comms.empty() ? 0 : RINGSIDE_FILTER_COMMS) |
                           (filter.cgroups.empty() ? 0 : RINGSIDE_FILTER_CGROUPS);
  __atomic_store_n(&config_->filters, filters, __ATOMIC_RELEASE);
  // Last: decisions made from here on are kept. 0 is what a task begins with, undecided.
  __atomic_add_fetch(&config_->generation, 1, __ATOMIC_RELEASE);
}

void Session::SetModes(const std::array<uint8_t, sizeof(ringside_config::mode_of)>& mode_of) {
  std::memcpy(config_->mode_of, mode_of.data(), mode_of.size());
}

void Session::Detach() {
  std::call_once(detaching_, [this] { StopPrograms(); });
}

void Session::StopPrograms() {
  // A system call's tracepoint may be entered before the link goes and run its program after it: with no
  // call to emit it then does nothing. All other programs run with RCU held, which the barrier waits for.
  std::memset(config_->mode_of, RINGSIDE_MODE_OFF, sizeof(config_->mode_of));
  for (bpf_link* link : links_) bpf_link__destroy(link);
  links_.clear();
  if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0) usleep(100000);
  detached_ = true;
}

bool Session::Ended() const {
  return detached_ && std::all_of(rings_.begin(), rings_.end(), [](const RingReader& ring) { return ring.IsDrained(); });
}

std::vector<CpuStatistics> Session::Statistics() const {
  std::vector<CpuStatistics> rows;
  for (uint32_t cpu = 0; cpu < cpus_; cpu++) {
    const ringside_counters counters = counters_[cpu];
    if (counters.seq == seq_before_ && counters.unaccounted == 0) continue;
    rows.push_back({cpu, seq_before_, counters});
  }
  return rows;
}

}  // namespace ringside
