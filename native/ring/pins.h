// SPDX-License-Identifier: Apache-2.0
// A folder of a bpffs with the pins of programs, links and maps, which outlive their loader. The edge that locks the folder
// owns them; the kernel releases the lock when that process ends.
#ifndef RINGSIDE_PINS_H
#define RINGSIDE_PINS_H

#include <string>
#include <vector>

#include "mapping.h"

namespace ringside {

class Pins {
 public:
  // Without a folder: nothing is pinned.
  Pins() = default;
  // Creates the folder if it is missing, but not its parents, and locks it. Its user must be this process's or `owner`, the
  // user that GiveTo names later. On failure the result has no folder, and `reason` is set.
  static Pins Open(const std::string& path, uint32_t owner, std::string& reason);

  explicit operator bool() const { return static_cast<bool>(folder_); }
  std::vector<std::string> Names() const;
  bool Has(const std::string& name) const;

  // These throw Failure.
  void Pin(int fd, const std::string& name) const;
  Descriptor Get(const std::string& name) const;
  void Rename(const std::string& from, const std::string& to) const;
  // Ignores a missing name. Needs no privilege except ownership of the folder.
  void Remove(const std::string& name) const;
  void GiveTo(uint32_t user, uint32_t group) const;

 private:
  Pins(std::string path, Descriptor folder) : path_(std::move(path)), folder_(std::move(folder)) {}
  std::string PathOf(const std::string& name) const { return path_ + "/" + name; }

  std::string path_;
  Descriptor folder_;
};

}  // namespace ringside

#endif
