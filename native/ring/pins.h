// SPDX-License-Identifier: Apache-2.0
// A folder of a bpffs in which programs, links and maps outlive their loader. Whoever holds its lock is the
// edge that they belong to; the lock goes with its holder, however that ends.
#ifndef RINGSIDE_PINS_H
#define RINGSIDE_PINS_H

#include <string>
#include <vector>

#include "mapping.h"

namespace ringside {

class Pins {
 public:
  // No folder: nothing is ever pinned.
  Pins() = default;
  // Makes the folder, if only it is missing, and locks it. It has to be of this process's user or of `owner`, who is
  // to have it later. Where that cannot be, the result is no folder, and `reason` says why.
  static Pins Open(const std::string& path, uint32_t owner, std::string& reason);

  explicit operator bool() const { return static_cast<bool>(folder_); }
  std::vector<std::string> Names() const;
  bool Has(const std::string& name) const;

  // These throw Failure.
  void Pin(int fd, const std::string& name) const;
  Descriptor Get(const std::string& name) const;
  void Rename(const std::string& from, const std::string& to) const;
  // A name that is not there is no failure; needs no privilege but to own the folder.
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
