// SPDX-License-Identifier: Apache-2.0
// A bounded map that forgets what was used least recently, closely enough; the choice is that of
// producer/encode/sampled-cache.ts, entry by entry.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

namespace ringside {

// `Value` has a member last_used, which grows with time.
template <typename Key, typename Value>
class SampledCache {
 public:
  explicit SampledCache(size_t capacity) : capacity_(capacity) { places_.reserve(capacity); }

  // Valid until the key is set again, erased or forgotten; null when it is not there.
  Value* Get(Key key) {
    const auto place = places_.find(key);
    return place == places_.end() ? nullptr : &place->second->second;
  }

  Value& Set(Key key, Value value) {
    if (Value* known = Get(key); known != nullptr) return *known = std::move(value);
    if (places_.size() >= capacity_) Evict();
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
  // How many of the longest-held entries an eviction chooses from.
  static constexpr size_t kSampleSize = 8;

  // Drops the least recently used of a sample; the others of it go to the end of the line.
  void Evict() {
    auto oldest = entries_.begin();
    auto end = entries_.begin();
    for (size_t i = 0; i < kSampleSize && end != entries_.end(); i++, end++) {
      if (end->second.last_used < oldest->second.last_used) oldest = end;
    }
    places_.erase(oldest->first);
    // The sample as a list of its own: a splice within one list would be over where it begins.
    Entries sample;
    sample.splice(sample.end(), entries_, entries_.begin(), end);
    sample.erase(oldest);
    entries_.splice(entries_.end(), sample);
  }

  const size_t capacity_;
  Entries entries_;
  std::unordered_map<Key, typename Entries::iterator> places_;
};

}  // namespace ringside
