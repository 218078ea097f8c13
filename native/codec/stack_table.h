// SPDX-License-Identifier: Apache-2.0
// Records to rows of a batch's table of stacks: one for each distinct place that calls were made from, as
// producer/encode/stack-table.ts has it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "lru_cache.h"
#include "record.h"

namespace ringside {

// A place in a program's source.
struct Stack {
  std::optional<std::string> go_function;
  std::optional<std::string> go_file;
  int32_t go_line;
};

// What a stack means; nothing when its program is not known, or not yet.
using FindCaller = std::function<std::optional<Stack>(int32_t pid, uint64_t start_ns, StackView stack)>;

class StackTable {
 public:
  struct Row {
    // -1 when the place is not known.
    int32_t index;
    // Bytes by which it raised the bound on the batch's size; 0 when it was there.
    size_t bytes;
  };

  // A null function: no stack is told.
  explicit StackTable(FindCaller find) : find_(std::move(find)) {}

  // The place of a record that has a stack; one new to the batch is added to its rows. The batch's number grows.
  Row IndexOf(const ringside_event& record, uint64_t program, uint64_t batch, int32_t& count, Output& rows);

 private:
  // Stacks that lead to it share it.
  struct Place {
    std::string encoded;
    // Upper bound on its Avro bytes.
    size_t bytes;
    uint64_t batch;
    int32_t index;
  };
  struct Entry {
    uint64_t program;
    std::vector<uint64_t> addresses;
    // Null: the program does not tell.
    std::shared_ptr<Place> place;
  };

  // About 700 bytes each: at most 12 MB. Beyond it they are asked for again, nothing is lost.
  static constexpr size_t kMaxStacks = 16384;

  std::shared_ptr<Place> PlaceOf(const Stack& stack);

  const FindCaller find_;
  LruCache<uint32_t, Entry> entries_{kMaxStacks};
  std::unordered_map<std::string, std::weak_ptr<Place>> places_;
};

}  // namespace ringside
