// SPDX-License-Identifier: Apache-2.0
#include "go_marks.h"

#include <signal.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "publish.h"

namespace ringside {

namespace {

// EPERM: alive, and of another user.
bool IsAlive(uint32_t pid) { return kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH; }

ringside_go_process* SetOf(ringside_config* config, uint32_t pid) {
  return &config->go[(pid & (RINGSIDE_GO_SETS - 1)) * RINGSIDE_GO_WAYS];
}

}  // namespace

bool MarkGo(ringside_config* config, uint32_t pid, uint64_t start_ns) {
  ringside_go_process* set = SetOf(config, pid);
  ringside_go_process* end = set + RINGSIDE_GO_WAYS;
  const auto is_same = [pid](const ringside_go_process& slot) { return slot.pid == pid; };
  const auto is_free = [](const ringside_go_process& slot) { return slot.pid == 0 || !IsAlive(slot.pid); };
  ringside_go_process* slot = std::find_if(set, end, is_same);
  if (slot == end) slot = std::find_if(set, end, is_free);
  if (slot == end) return false;
  Publish(slot->pid, 0);
  slot->start_ns = start_ns;
  Publish(slot->pid, pid);
  return true;
}

void UnmarkGo(ringside_config* config, uint32_t pid) {
  ringside_go_process* set = SetOf(config, pid);
  for (ringside_go_process* slot = set; slot != set + RINGSIDE_GO_WAYS; slot++) {
    if (slot->pid == pid) Publish(slot->pid, 0);
  }
}

void ClearGoMarks(ringside_config* config) { std::memset(config->go, 0, sizeof(config->go)); }

}  // namespace ringside
