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

uint32_t OwnerOf(const ringside_go_process& slot) { return __atomic_load_n(&slot.pid, __ATOMIC_ACQUIRE); }

bool IsMark(const ringside_go_process& slot, uint32_t pid, uint64_t start_ns, uint32_t exec_id) {
  return OwnerOf(slot) == pid && slot.start_ns == start_ns && slot.exec_id == exec_id;
}

// False if the owner has changed meanwhile.
bool Exchange(ringside_go_process& slot, uint32_t owner, uint32_t next) {
  return __atomic_compare_exchange_n(&slot.pid, &owner, next, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

ringside_go_process* SetOf(ringside_config* config, uint32_t pid) {
  return &config->go[(pid & (RINGSIDE_GO_SETS - 1)) * RINGSIDE_GO_WAYS];
}

}  // namespace

bool MarkGo(ringside_config* config, uint32_t pid, uint64_t start_ns, uint32_t exec_id) {
  ringside_go_process* set = SetOf(config, pid);
  ringside_go_process* end = set + RINGSIDE_GO_WAYS;
  const auto is_same = [=](const ringside_go_process& slot) { return IsMark(slot, pid, start_ns, exec_id); };
  if (std::any_of(set, end, is_same)) return true;
  const auto take = [pid](ringside_go_process& slot) {
    const uint32_t owner = OwnerOf(slot);
    if (owner == RINGSIDE_GO_TAKEN || (owner != 0 && owner != pid && IsAlive(owner))) return false;
    return Exchange(slot, owner, RINGSIDE_GO_TAKEN);
  };
  ringside_go_process* slot = std::find_if(set, end, take);
  if (slot == end) return false;
  slot->start_ns = start_ns;
  slot->exec_id = exec_id;
  Publish(slot->pid, pid);
  return true;
}

void UnmarkGo(ringside_config* config, uint32_t pid, uint64_t start_ns, uint32_t exec_id) {
  ringside_go_process* set = SetOf(config, pid);
  for (ringside_go_process* slot = set; slot != set + RINGSIDE_GO_WAYS; slot++) {
    if (IsMark(*slot, pid, start_ns, exec_id)) Exchange(*slot, pid, 0);
  }
}

void ClearGoMarks(ringside_config* config) { std::memset(config->go, 0, sizeof(config->go)); }

}  // namespace ringside
