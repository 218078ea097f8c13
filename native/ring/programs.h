// SPDX-License-Identifier: Apache-2.0
// A set of loaded programs with their maps and links, as descriptors by name: from the object file, or from the pins of a
// dead edge. A loaded set is muted until its configuration is set.
#ifndef RINGSIDE_PROGRAMS_H
#define RINGSIDE_PROGRAMS_H

#include <linux/types.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

extern "C" {
#include "../../bpf/event.h"
}

#include "pins.h"

namespace ringside {

// Names of maps; an underscore replaces a dot, which the name of a pin cannot contain.
constexpr const char* kProcessRing = "process_events";
constexpr const char* kSecurityRing = "security_events";
constexpr const char* kRestRing = "other_events";
constexpr const char* kConfig = "_data_config";
constexpr const char* kCounters = "_data_counters";
constexpr const char* kUsed = "_data_used";
constexpr const char* kGroups = "groups";
// Maps that a new set of programs keeps: all of them, or none.
constexpr std::array<const char*, 6> kLastingMaps = {kProcessRing, kSecurityRing, kRestRing,
                                                     kCounters,    kUsed,         kGroups};
// By lane.
constexpr std::array<const char*, 3> kRingMaps = {kProcessRing, kSecurityRing, kRestRing};
using RingSizes = std::array<uint32_t, kRingMaps.size()>;

struct LoadOptions {
  std::string object;
  RingSizes ring_bytes;
  std::array<uint8_t, sizeof(ringside_config::call_of)> call_of;
};

struct ProgramCost {
  uint64_t run_ns;
  uint64_t skipped;  // runs that the kernel skipped: the program was already running on that CPU
};

class Programs {
 public:
  Programs() = default;

  // Loads without attaching; without the optional programs if the kernel refuses them. The new programs use the lasting
  // maps of `keep`; nullopt if these are not compatible. Without `keep`, the counters of each CPU start at `seqs`. Throws
  // Failure.
  static std::optional<Programs> Load(const LoadOptions& options, uint32_t number, const Programs* keep,
                                      const std::vector<uint64_t>& seqs);
  // Opens the set that is pinned under this number. Throws Failure if a required part is missing.
  static Programs Open(const Pins& pins, uint32_t number);
  // Stops all sets pinned under other numbers, and removes their pins.
  static void RemoveOthers(const Pins& pins, uint32_t number);

  // Stops the set pinned under this number, of any version, and returns the last seq of each CPU. Throws Failure.
  static std::vector<uint64_t> Stop(const Pins& pins, uint32_t number);

  // Attaches the programs that are not attached yet.
  void Attach();
  void Pin(const Pins& pins) const;
  void Unpin(const Pins& pins) const;
  // Removes all links, pinned or not.
  void Detach(const Pins& pins);
  // Excludes the calling process from observation; with `family` also its parent and the parent's children.
  void Identify(bool family) const;

  int Map(const char* name) const;
  uint32_t MaxEntries(const char* name) const;
  ringside_config* config() const { return config_.as<ringside_config>(); }
  uint32_t number() const { return number_; }
  // Names of programs that this kernel does not support.
  const std::vector<std::string>& unsupported() const { return unsupported_; }
  // nullopt where the kernel does not report it, as before 5.19 to a process without CAP_BPF.
  std::optional<ProgramCost> Cost() const;

 private:
  static std::optional<Programs> Load(const LoadOptions& options, uint32_t number, const Programs* keep,
                                      const std::vector<uint64_t>& seqs, bool with_optional);
  void Remove(const Pins& pins, const char* kind, const std::map<std::string, Descriptor>& of) const;
  void MapConfig();

  uint32_t number_ = 0;
  std::map<std::string, Descriptor> maps_;
  std::map<std::string, Descriptor> programs_;
  std::map<std::string, Descriptor> links_;
  Mapping config_;
  std::vector<std::string> unsupported_;
};

// Waits until every run of a program that began before has ended: up to tens of milliseconds.
void WaitForPrograms();

}  // namespace ringside

#endif
