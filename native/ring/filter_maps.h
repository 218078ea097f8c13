// SPDX-License-Identifier: Apache-2.0
// The maps of the task filter: the processes, names and cgroups that the programs observe.
#ifndef RINGSIDE_FILTER_MAPS_H
#define RINGSIDE_FILTER_MAPS_H

#include <array>
#include <cstdint>
#include <set>

#include "programs.h"

namespace ringside {

using Comm = std::array<char, RINGSIDE_COMM_SIZE>;

// An empty set passes every task; a task must be in all sets that are not empty.
struct Filter {
  std::set<uint32_t> pids;
  std::set<Comm> comms;
  std::set<uint64_t> cgroups;
};

class FilterMaps {
 public:
  FilterMaps() = default;
  // Starts with the keys that the maps contain.
  explicit FilterMaps(const Programs& programs);

  // Adds and removes keys. Takes effect for all tasks with SetFilterBits. Throws Failure.
  void Replace(const Filter& filter);
  // RINGSIDE_FILTER_* of the maps that are not empty.
  uint32_t Bits() const;

 private:
  template <typename Key>
  struct Keys {
    const char* name;
    int map;
    std::set<Key> present;
  };
  template <typename Key>
  static Keys<Key> Read(const Programs& programs, const char* name);
  template <typename Key>
  static void Replace(Keys<Key>& keys, const std::set<Key>& wanted);

  Keys<uint32_t> pids_{};
  Keys<Comm> comms_{};
  Keys<uint64_t> cgroups_{};
};

}  // namespace ringside

#endif
