// SPDX-License-Identifier: Apache-2.0
// Converts groups of a frozen half (struct ringside_group) to records of KIND_SUMMARY. The same groups give the same records
// in the same order: a successor rebuilds the records that its predecessor has read.
#ifndef RINGSIDE_SUMMARIES_H
#define RINGSIDE_SUMMARIES_H

#include <linux/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

extern "C" {
#include "../../bpf/event.h"
}

namespace ringside {

// Calls of one process that were counted beyond its bound.
struct LimitedCalls {
  uint32_t pid;
  uint64_t start_ns;
  std::string comm;
  bool is_compat;
  uint16_t nr;
  uint64_t count;
};

struct Summaries {
  std::vector<uint8_t> records;
  uint64_t count = 0;
  std::vector<LimitedCalls> limited;  // the processes and calls with the most, the largest first
};

// One record for each (pid, start_ns, exec_id, abi, nr), in this order, with seqs from seq_before + 1. The calls ended in the
// interval of duration_ns before time_ns. The other fields of the process are those of its first group.
Summaries Summarize(const ringside_group* groups, size_t count, uint64_t seq_before, uint64_t time_ns,
                    uint64_t duration_ns);

}  // namespace ringside

#endif
