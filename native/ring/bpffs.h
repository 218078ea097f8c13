// SPDX-License-Identifier: Apache-2.0
// bpffs: BPF objects pinned there outlive the process that loaded them.
#ifndef RINGSIDE_BPFFS_H
#define RINGSIDE_BPFFS_H

#include <string>

namespace ringside {

bool IsBpffs(const std::string& path);

std::string ParentOf(const std::string& path);

// Mounts a bpffs at a folder of this process's user, unless one is mounted there. Needs CAP_SYS_ADMIN. Throws Failure.
void MountBpffs(const std::string& folder);

}  // namespace ringside

#endif
