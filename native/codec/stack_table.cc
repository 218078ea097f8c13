// SPDX-License-Identifier: Apache-2.0
#include "stack_table.h"

#include <algorithm>

namespace ringside {

namespace {

// Upper bound on the Avro bytes of a row without its strings (producer/encode/avsc-batch.ts).
constexpr size_t kRowBytes = 16;

uint32_t HashOf(uint64_t program, StackView stack) {
  uint32_t hash = 0;
  const auto add = [&hash](uint32_t word) {
    hash = (hash ^ word) * 0x9e3779b1;
    hash ^= hash >> 15;
  };
  add(static_cast<uint32_t>(program));
  for (size_t i = 0; i < stack.count; i++) {
    add(static_cast<uint32_t>(stack.begin[i]));
    add(static_cast<uint32_t>(stack.begin[i] >> 32));
  }
  return hash;
}

size_t SizeOf(const std::optional<std::string>& text) { return text ? text->size() : 0; }

}  // namespace

StackTable::Row StackTable::IndexOf(const ringside_event& record, const Program& program, uint64_t batch,
                                    int32_t& count, Output& rows) {
  const StackView stack = StackOf(record);
  if (!resolve_ || stack.count == 0) return {-1, 0};
  const uint32_t hash = HashOf(program.number, stack);
  Entry* entry = entries_.Get(hash);
  const uint64_t* end = stack.begin + stack.count;
  // Two stacks with the same hash evict each other.
  if (entry == nullptr || entry->program != program.number ||
      !std::equal(entry->addresses.begin(), entry->addresses.end(), stack.begin, end)) {
    const std::optional<Stack> resolved = resolve_(program.key, stack);
    if (!resolved) return {-1, 0};
    std::shared_ptr<Location> location = resolved->go_function ? LocationOf(*resolved) : nullptr;
    entry = &entries_.Set(hash, Entry{program.number, {stack.begin, end}, std::move(location)});
  }
  Location* location = entry->location.get();
  if (location == nullptr) return {-1, 0};
  if (location->batch == batch) return {location->index, 0};
  location->batch = batch;
  location->index = count++;
  rows.Append(location->encoded.data(), location->encoded.size());
  return {location->index, location->bytes};
}

std::shared_ptr<StackTable::Location> StackTable::LocationOf(const Stack& stack) {
  const size_t bytes = kRowBytes + SizeOf(stack.go_function) + SizeOf(stack.go_file);
  std::string encoded(bytes, 0);
  auto* begin = reinterpret_cast<uint8_t*>(encoded.data());
  uint8_t* at = WriteOptional(begin, stack.go_function);
  at = WriteOptional(at, stack.go_file);
  at = WriteLong(at, stack.go_line);
  encoded.resize(static_cast<size_t>(at - begin));
  if (locations_.size() > kMaxStacks) {
    for (auto location = locations_.begin(); location != locations_.end();) {
      location = location->second.expired() ? locations_.erase(location) : std::next(location);
    }
  }
  std::weak_ptr<Location>& known = locations_[encoded];
  if (std::shared_ptr<Location> location = known.lock()) return location;
  auto location = std::make_shared<Location>(Location{encoded, bytes, 0, 0});
  known = location;
  return location;
}

}  // namespace ringside
