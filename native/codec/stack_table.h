// SPDX-License-Identifier: Apache-2.0
// Rows of a batch's stack table, one for each distinct source location, as in producer/encode/stack-table.ts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "lru_cache.h"
#include "process_table.h"
#include "record.h"

namespace ringside {

// The source location of a call.
struct Stack {
  std::optional<std::string> go_function;
  std::optional<std::string> go_file;
  int32_t go_line;
};

// Resolves a stack; empty while its program is unknown.
using ResolveStack = std::function<std::optional<Stack>(const ProgramKey& program, StackView stack)>;

class StackTable {
 public:
  struct Row {
    // -1 without a known location.
    int32_t index;
    // Increase of the bound on the batch's size; 0 when the batch already has the row.
    size_t bytes;
  };

  // A null function disables stacks.
  explicit StackTable(ResolveStack resolve) : resolve_(std::move(resolve)) {}

  // Returns the location of a record that has a stack, and adds a row unless the batch has it. `program` is the record's,
  // `batch` is the batch's number.
  Row IndexOf(const ringside_event& record, const Program& program, uint64_t batch, int32_t& count, Output& rows);

 private:
  // Shared by all stacks that resolve to it.
  struct Location {
    std::string encoded;
    // Upper bound on the Avro bytes.
    size_t bytes;
    uint64_t batch;
    int32_t index;
  };
  struct Entry {
    uint64_t program;
    std::vector<uint64_t> addresses;
    // Null when the program has no function for the stack.
    std::shared_ptr<Location> location;
  };

  // About 700 bytes each: at most 12 MB. Evicted stacks are resolved again.
  static constexpr size_t kMaxStacks = 16384;

  std::shared_ptr<Location> LocationOf(const Stack& stack);

  const ResolveStack resolve_;
  LruCache<uint32_t, Entry> entries_{kMaxStacks};
  std::unordered_map<std::string, std::weak_ptr<Location>> locations_;
};

}  // namespace ringside
