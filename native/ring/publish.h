// SPDX-License-Identifier: Apache-2.0
#ifndef RINGSIDE_PUBLISH_H
#define RINGSIDE_PUBLISH_H

#include <cstdint>

namespace ringside {

// Stores to shared memory. A program or a successor that reads the new value also sees every earlier store.
inline void Publish(uint32_t& where, uint32_t value) { __atomic_store_n(&where, value, __ATOMIC_SEQ_CST); }

}  // namespace ringside

#endif
