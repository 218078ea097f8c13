// SPDX-License-Identifier: Apache-2.0
// One set of loaded programs with their maps and links, as descriptors by name: from the object file, or from
// the pins that a dead edge left. A set begins muted, and observes only once its configuration says so.
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

// As pins cannot have it, a dot in a map's name is an underscore here.
constexpr const char* kSecurityRing = "security_events";
constexpr const char* kRestRing = "other_events";
constexpr const char* kConfig = "_data_config";
constexpr const char* kCounters = "_data_counters";
constexpr const char* kUsed = "_data_used";
constexpr const char* kGroups = "groups";
// What outlives the programs that write to it. Only all of them together make sense.
constexpr std::array<const char*, 5> kLastingMaps = {kSecurityRing, kRestRing, kCounters, kUsed, kGroups};

struct LoadOptions {
  std::string object;
  uint32_t security_ring_bytes;
  uint32_t ring_bytes;
  std::array<uint8_t, sizeof(ringside_config::call_of)> call_of;
};

struct ProgramCost {
  uint64_t run_ns;
  uint64_t skipped;  // runs that the kernel left out, as the program was running there already
};

class Programs {
 public:
  Programs() = default;

  // Loads and does not attach; when the kernel refuses, without what the rest can do without. `keep` gives its
  // lasting maps to the new programs; nullopt when they do not fit. `seqs` is what the counters of the CPUs begin with
  // if they are not kept. Throws Failure.
  static std::optional<Programs> Load(const LoadOptions& options, uint32_t number, const Programs* keep,
                                      const std::vector<uint64_t>& seqs);
  // What is pinned under this number. Throws Failure when anything that is needed is missing.
  static Programs Open(const Pins& pins, uint32_t number);
  // Stops what is pinned under any number but this one, and removes its pins.
  static void RemoveOthers(const Pins& pins, uint32_t number);

  // Stops what is pinned under this number, of whatever version, and gives the last seq of each CPU. Throws Failure.
  static std::vector<uint64_t> Stop(const Pins& pins, uint32_t number);

  // Attaches what is not attached.
  void Attach();
  void Pin(const Pins& pins) const;
  void Unpin(const Pins& pins) const;
  // Ends all links, pinned or not.
  void Detach(const Pins& pins);
  // The calling process is not to be observed; nor, with `family`, are its parent and its parent's children.
  void Identify(bool family) const;

  int Map(const char* name) const;
  uint32_t MaxEntries(const char* name) const;
  ringside_config* config() const { return config_.as<ringside_config>(); }
  uint32_t number() const { return number_; }
  // Programs that this kernel has no place for.
  const std::vector<std::string>& left_out() const { return left_out_; }
  ProgramCost Cost() const;

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
  std::vector<std::string> left_out_;
};

using Modes = std::array<uint8_t, sizeof(ringside_config::mode_of)>;

// By ABI and number, enum ringside_mode.
void SetModes(ringside_config* config, const Modes& mode_of);

// From here on no task is observed and no call remembered.
void Mute(ringside_config* config);

// Returns when every run of a program that has begun has ended: up to tens of milliseconds.
void WaitForPrograms();

}  // namespace ringside

#endif
