// SPDX-License-Identifier: Apache-2.0
#include "config.h"

#include <cstddef>

namespace ringside {

void SetModes(ringside_config* config, const Modes& mode_of) {
  uint8_t* entries = &config->mode_of[0][0];
  for (size_t i = 0; i < mode_of.size(); i++) {
    const bool is_off = (entries[i] & RINGSIDE_MODE_MASK) == RINGSIDE_MODE_OFF;
    const int added = is_off && mode_of[i] != RINGSIDE_MODE_OFF ? RINGSIDE_MODE_ACTIVATION : 0;
    const int activation = (entries[i] & ~RINGSIDE_MODE_MASK) + added;
    __atomic_store_n(&entries[i], static_cast<uint8_t>(activation | mode_of[i]), __ATOMIC_RELAXED);
  }
  // Last: a call that was entered with the new generation had the new modes.
  __atomic_add_fetch(&config->generation, 1, __ATOMIC_RELEASE);
}

void SetFilterBits(ringside_config* config, uint32_t filters) {
  __atomic_store_n(&config->filters, filters, __ATOMIC_RELEASE);
  // Last: a verdict with the new generation is of the new filter. 0 marks a task without a verdict.
  __atomic_add_fetch(&config->generation, 1, __ATOMIC_RELEASE);
}

void Mute(ringside_config* config) {
  SetModes(config, Modes{});
  SetFilterBits(config, RINGSIDE_FILTER_REJECT_ALL);
}

}  // namespace ringside
