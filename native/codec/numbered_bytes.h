// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ringside {

// Numbers distinct byte strings 0, 1, 2 … in the order of their first appearance.
class NumberedBytes {
 public:
  int32_t NumberOf(std::string_view bytes) {
    const auto known = numbers_.find(bytes);
    if (known != numbers_.end()) return known->second;
    const auto number = static_cast<int32_t>(kept_.size());
    numbers_.emplace(kept_.emplace_back(bytes), number);
    return number;
  }

  size_t size() const { return kept_.size(); }

  void Clear() {
    numbers_.clear();
    kept_.clear();
  }

 private:
  // The map's keys point into it: a deque never moves its elements.
  std::deque<std::string> kept_;
  std::unordered_map<std::string_view, int32_t> numbers_;
};

}  // namespace ringside
