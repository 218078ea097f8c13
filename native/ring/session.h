// SPDX-License-Identifier: Apache-2.0
// One loaded set of the programs in bpf/, its maps and its two rings. No Node in here: options come in
// validated, failures leave as Failure. Read, SetFilter and SetModes are for one thread; Detach may
// run beside them and itself.
#ifndef RINGSIDE_SESSION_H
#define RINGSIDE_SESSION_H

#include <linux/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

extern "C" {
#include "../../bpf/event.h"
}

#include "failure.h"
#include "ring_reader.h"

struct bpf_link;
struct bpf_map;
struct bpf_object;
namespace ringside {

using Comm = std::array<char, RINGSIDE_COMM_SIZE>;

// An empty set lets all pass; sets that are not empty must all be met.
struct Filter {
  std::set<uint32_t> pids;
  std::set<Comm> comms;
  std::set<uint64_t> cgroups;
};

struct Options {
  std::string object;
  uint32_t security_ring_bytes;
  uint32_t ring_bytes;  // of the rest
  bool ignore_family;
  std::array<uint8_t, sizeof(ringside_config::call_of)> call_of;
  std::array<uint8_t, sizeof(ringside_config::mode_of)> mode_of;
  Filter filter;
};

// One CPU that gave out a number, or missed a call.
struct CpuStatistics {
  uint32_t cpu;
  uint64_t before;
  ringside_counters counters;
};

class Session {
 public:
  // Opens, loads and attaches: tens of milliseconds. Throws Failure.
  explicit Session(const Options& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Copies whole records into `into`: those of the security ring, then those of the other, which a quarter of
  // the room is kept for. Returns the bytes written, 0 when it found both rings empty.
  size_t Read(uint8_t* into, size_t bytes);

  // Gives back the room before these positions: of the security ring, and of the other.
  void Release(const std::array<uint64_t, 2>& positions);

  // The share of its ring that what was read and is not released holds, of the fuller one.
  double Pressure() const;

  void SetFilter(const Filter& filter);
  void SetModes(const std::array<uint8_t, sizeof(ringside_config::mode_of)>& mode_of);

  // When it returns, no program will write to the rings any more, also when it was called before, by another
  // thread. Waits for the kernel: up to tens of milliseconds.
  void Detach();

  // Detached, and nothing is left in the rings.
  bool Ended() const;

  std::vector<CpuStatistics> Statistics() const;

 private:
  void Configure(const Options& options);
  void LeaveOut();
  void Load();
  void Identify(bool ignore_family);
  void Attach();
  void OpenRings();
  void StopPrograms();
  void GiveBack();
  bpf_map* Map(const char* name) const;
  template <typename Key>
  void Replace(const char* map, std::set<Key>& present, const std::set<Key>& wanted);

  bpf_object* object_ = nullptr;
  std::array<RingReader, 2> rings_;
  std::vector<bpf_link*> links_;
  ringside_config* config_ = nullptr;      // mmapped
  ringside_counters* counters_ = nullptr;  // mmapped, by CPU
  uint32_t cpus_ = 0;
  uint64_t seq_before_ = 0;
  Filter filter_;
  std::once_flag detaching_;
  std::atomic<bool> detached_{false};
};

}  // namespace ringside

#endif
