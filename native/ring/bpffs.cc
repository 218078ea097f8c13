// SPDX-License-Identifier: Apache-2.0
#include "bpffs.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "mapping.h"

namespace ringside {

bool IsBpffs(const std::string& path) {
  struct statfs about;
  return statfs(path.c_str(), &about) == 0 && about.f_type == BPF_FS_MAGIC;
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

void MountBpffs(const std::string& folder) {
  const std::string operation = "mount a bpffs at " + folder;
  // The lock serializes edges that start together: a second mount would hide the pins in the first.
  const Descriptor parent(open(ParentOf(folder).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent || flock(parent.get(), LOCK_EX) != 0) throw Failure{operation, errno, ""};
  if (IsBpffs(folder)) return;
  const Descriptor target(open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat about{};
  if (!target || fstat(target.get(), &about) != 0) throw Failure{operation, errno, ""};
  if (about.st_uid != geteuid()) throw Failure{operation, EACCES, ""};
  // By descriptor, so that the mount covers the folder whose owner was checked.
  const std::string path = "/proc/self/fd/" + std::to_string(target.get());
  if (mount("bpf", path.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") != 0) {
    throw Failure{operation, errno, ""};
  }
}

}  // namespace ringside
