// SPDX-License-Identifier: Apache-2.0
// What a frozen half of the groups (struct ringside_group) says, as records of KIND_SUMMARY. The same groups
// give the same records in the same order, so that a successor finds again what its predecessor had read.
#ifndef RINGSIDE_SUMMARIES_H
#define RINGSIDE_SUMMARIES_H

#include <linux/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

extern "C" {
#include "../../bpf/event.h"
}

namespace ringside {

struct Summaries {
  std::vector<uint8_t> records;
  uint64_t count = 0;
};

// One record for each (pid, start_ns, abi, nr), in this order, of the calls that ended in the duration_ns before
// time_ns; the first has seq_before + 1. What else a record tells of its process is of its first group.
Summaries Summarize(const ringside_group* groups, size_t count, uint64_t seq_before, uint64_t time_ns,
                    uint64_t duration_ns);

}  // namespace ringside

#endif
