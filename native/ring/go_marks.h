// SPDX-License-Identifier: Apache-2.0
// Processes marked as Go programs (struct ringside_go_process): their emitted calls carry a stack.
#ifndef RINGSIDE_GO_MARKS_H
#define RINGSIDE_GO_MARKS_H

#include <linux/types.h>

#include <cstdint>

extern "C" {
#include "../../bpf/event.h"
}

namespace ringside {

// The mark is for one program of the process. False if all slots of its set belong to live processes.
bool MarkGo(ringside_config* config, uint32_t pid, uint64_t start_ns, uint32_t exec_id);
void UnmarkGo(ringside_config* config, uint32_t pid, uint64_t start_ns, uint32_t exec_id);
void ClearGoMarks(ringside_config* config);

}  // namespace ringside

#endif
