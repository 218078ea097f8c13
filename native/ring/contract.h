// SPDX-License-Identifier: Apache-2.0
// Types of bpf/event.h and the table class_of_call, read from a built BPF object without loading it:
// scripts/generate-event.ts writes bpf/event.ts from them.
#ifndef RINGSIDE_CONTRACT_H
#define RINGSIDE_CONTRACT_H

#include <cstdint>
#include <string>
#include <vector>

namespace ringside {

struct Contract {
  struct Field {
    std::string name;  // in a nested struct: "socket.family"
    uint32_t offset;   // bytes
  };
  struct Struct {
    std::string name;
    uint32_t bytes;
    std::vector<Field> fields;
  };
  struct Constant {
    std::string name;
    int32_t value;
  };
  struct Enum {
    std::string name;
    std::vector<Constant> constants;
  };
  std::vector<Struct> structs;
  std::vector<Enum> enums;
  std::vector<uint8_t> class_of_call;
};

// Throws Failure when the file is not a BPF object of Ringside.
Contract ReadContract(const std::string& object);

}  // namespace ringside

#endif
