// SPDX-License-Identifier: Apache-2.0
// Attaches the programs: freshly loaded ones, or those that a dead edge left pinned, with its rings, counts and account.
#ifndef RINGSIDE_TAKEOVER_H
#define RINGSIDE_TAKEOVER_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mapping.h"
#include "options.h"
#include "pins.h"
#include "programs.h"
#include "state.h"

namespace ringside {

// Attached programs, the state that a successor needs, and the positions to read from. Newly loaded programs are muted.
struct Attached {
  Programs programs;
  Descriptor state_map;
  Mapping state;
  std::array<uint64_t, kLanes> begin{};
  // The dead edge's account; nullopt without one.
  std::optional<Account> previous;
  // Still observing; to be muted, detached and unpinned once `programs` observe.
  std::optional<Programs> replaced;
  // For the log; empty if nothing was taken over.
  std::string note;
};

// Throws Failure. Without a folder of pins nothing is taken over, and nothing is pinned.
Attached AttachPrograms(const Options& options, const Pins& pins);

// Removes the pins of programs that are detached.
void RemovePins(const Pins& pins, const Programs& programs);

}  // namespace ringside

#endif
