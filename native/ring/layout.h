// SPDX-License-Identifier: Apache-2.0
// Where the fields of a struct lie, as the type information of a built object tells: what user space
// believes about event.h is held against it.
#ifndef RINGSIDE_LAYOUT_H
#define RINGSIDE_LAYOUT_H

#include <cstdint>
#include <string>
#include <vector>

namespace ringside {

struct Layout {
  struct Field {
    std::string name;  // of a nested struct: "socket.family"
    uint32_t offset;   // bytes
  };
  uint32_t bytes;
  std::vector<Field> fields;
};

// Throws Failure when the file has no BTF or no such struct.
Layout LayoutOf(const std::string& object, const std::string& name);

}  // namespace ringside

#endif
