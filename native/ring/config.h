// SPDX-License-Identifier: Apache-2.0
// Changes to the configuration of programs that may be running (struct ringside_config).
#ifndef RINGSIDE_CONFIG_H
#define RINGSIDE_CONFIG_H

#include <linux/types.h>

#include <array>
#include <cstdint>

extern "C" {
#include "../../bpf/event.h"
}

namespace ringside {

// Indexed by ABI and call number; values of enum ringside_mode.
using Modes = std::array<uint8_t, sizeof(ringside_config::mode_of)>;

// Counts one more activation for each mode that leaves OFF.
void SetModes(ringside_config* config, const Modes& mode_of);

// Sets ringside_config.filters and expires the cached verdicts of all tasks.
void SetFilterBits(ringside_config* config, uint32_t filters);

// From here on no task is observed and no call is saved at its enter.
void Mute(ringside_config* config);

}  // namespace ringside

#endif
