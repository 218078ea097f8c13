// SPDX-License-Identifier: Apache-2.0
// Options of a session. ring-options.ts has validated them.
#ifndef RINGSIDE_OPTIONS_H
#define RINGSIDE_OPTIONS_H

#include <cstdint>
#include <optional>
#include <string>

#include "config.h"
#include "filter_maps.h"
#include "programs.h"
#include "state.h"

namespace ringside {

struct Owner {
  uint32_t user;
  uint32_t group;
};

struct Options {
  LoadOptions load;
  ObjectHash hash;  // of the object file
  bool ignore_family;
  Modes mode_of;
  uint32_t process_events;
  Filter filter;
  std::string pin_folder;      // empty: nothing is pinned
  std::optional<Owner> owner;  // who removes the pins at the end
  bool measure_cost;
  bool go_functions;  // emitted calls of marked processes carry their stack
};

}  // namespace ringside

#endif
