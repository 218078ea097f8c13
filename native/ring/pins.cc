// SPDX-License-Identifier: Apache-2.0
#include "pins.h"

#include <bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>

#include "bpffs.h"

namespace ringside {

Pins Pins::Open(const std::string& path, uint32_t owner, std::string& reason) {
  const std::string parent = ParentOf(path);
  if (!IsBpffs(parent)) {
    reason = parent + " is no bpffs: mount one there with mount -t bpf -o mode=700 bpf " + parent;
    return {};
  }
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    reason = "cannot create " + path + ": " + strerror(errno);
    return {};
  }
  Descriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) {
    reason = "cannot open " + path + ": " + strerror(errno);
    return {};
  }
  struct stat about{};
  if (fstat(folder.get(), &about) != 0 || (about.st_uid != geteuid() && about.st_uid != owner)) {
    reason = path + " belongs to user " + std::to_string(about.st_uid) +
             ", who could remove or open the pins: remove the folder, or set edge.pinDir to another one";
    return {};
  }
  if (flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
    reason = "another edge uses " + path + ": stop it, or set edge.pinDir to another folder";
    return {};
  }
  return Pins(path, std::move(folder));
}

std::vector<std::string> Pins::Names() const {
  // A new open file description: a copy by dup() would share the folder's read position.
  const int fd = openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(fd < 0 ? nullptr : fdopendir(fd), closedir);
  if (entries == nullptr) throw Failure{"list " + path_, errno, ""};
  std::vector<std::string> names;
  while (const dirent* entry = readdir(entries.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  return names;
}

bool Pins::Has(const std::string& name) const { return faccessat(folder_.get(), name.c_str(), F_OK, 0) == 0; }

void Pins::Pin(int fd, const std::string& name) const {
  if (bpf_obj_pin(fd, PathOf(name).c_str()) != 0) throw Failure{"pin " + PathOf(name), errno, ""};
}

Descriptor Pins::Get(const std::string& name) const {
  Descriptor object(bpf_obj_get(PathOf(name).c_str()));
  if (!object) throw Failure{"open " + PathOf(name), errno, ""};
  return object;
}

void Pins::Rename(const std::string& from, const std::string& to) const {
  if (renameat(folder_.get(), from.c_str(), folder_.get(), to.c_str()) != 0) {
    throw Failure{"rename " + PathOf(from), errno, ""};
  }
}

void Pins::Remove(const std::string& name) const {
  if (unlinkat(folder_.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    throw Failure{"remove " + PathOf(name), errno, ""};
  }
}

void Pins::GiveTo(uint32_t user, uint32_t group) const {
  if (fchown(folder_.get(), user, group) != 0) throw Failure{"change the owner of " + path_, errno, ""};
}

}  // namespace ringside
