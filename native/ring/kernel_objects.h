// SPDX-License-Identifier: Apache-2.0
// Properties of loaded maps and programs, asked from the kernel.
#ifndef RINGSIDE_KERNEL_OBJECTS_H
#define RINGSIDE_KERNEL_OBJECTS_H

#include <bpf.h>

#include "mapping.h"

namespace ringside {

// These throw Failure.
inline bpf_map_info MapInfo(int fd) {
  bpf_map_info info{};
  uint32_t bytes = sizeof(info);
  if (bpf_map_get_info_by_fd(fd, &info, &bytes) != 0) throw Failure{"get information about a map", errno, ""};
  return info;
}

inline bpf_prog_info ProgramInfo(int fd) {
  bpf_prog_info info{};
  uint32_t bytes = sizeof(info);
  if (bpf_prog_get_info_by_fd(fd, &info, &bytes) != 0) throw Failure{"get information about a program", errno, ""};
  return info;
}

}  // namespace ringside

#endif
