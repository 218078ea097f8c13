// SPDX-License-Identifier: Apache-2.0
// A bounded map that evicts the entry used least recently, as npm's lru-cache does in producer/encode: both encoders
// evict the same entries.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <unordered_map>
#include <utility>

namespace ringside {

template <typename Key, typename Value, typename Hash = std::hash<Key>>
class LruCache {
 public:
  explicit LruCache(size_t capacity) : capacity_(capacity) { places_.reserve(capacity); }

  // Counts as a use. Valid until the key is set again, erased or evicted; null when it is not there.
  Value* Get(Key key) {
    const auto place = places_.find(key);
    if (place == places_.end()) return nullptr;
    entries_.splice(entries_.end(), entries_, place->second);
    return &place->second->second;
  }

  Value& Set(Key key, Value value) {
    if (Value* known = Get(key); known != nullptr) return *known = std::move(value);
    if (places_.size() >= capacity_) {
      places_.erase(entries_.front().first);
      entries_.pop_front();
    }
    entries_.emplace_back(key, std::move(value));
    places_.emplace(key, std::prev(entries_.end()));
    return entries_.back().second;
  }

  void Erase(Key key) {
    const auto place = places_.find(key);
    if (place == places_.end()) return;
    entries_.erase(place->second);
    places_.erase(place);
  }

 private:
  using Entries = std::list<std::pair<Key, Value>>;

  const size_t capacity_;
  // The least recently used first.
  Entries entries_;
  std::unordered_map<Key, typename Entries::iterator, Hash> places_;
};

}  // namespace ringside
