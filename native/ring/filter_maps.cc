// SPDX-License-Identifier: Apache-2.0
#include "filter_maps.h"

#include <bpf.h>

#include <string>

namespace ringside {

template <typename Key>
FilterMaps::Keys<Key> FilterMaps::Read(const Programs& programs, const char* name) {
  Keys<Key> keys{name, programs.Map(name), {}};
  Key key;
  const Key* before = nullptr;
  for (Key next; bpf_map_get_next_key(keys.map, before, &next) == 0; before = &key) {
    key = next;
    keys.present.insert(key);
  }
  return keys;
}

template <typename Key>
void FilterMaps::Replace(Keys<Key>& keys, const std::set<Key>& wanted) {
  // A pid that is given again names the process that has it now.
  const uint64_t unbound = 0;
  for (const Key& key : wanted) {
    if (bpf_map_update_elem(keys.map, &key, &unbound, BPF_ANY) != 0) {
      throw Failure{std::string("add to ") + keys.name, errno, ""};
    }
    keys.present.insert(key);
  }
  for (auto key = keys.present.begin(); key != keys.present.end();) {
    if (wanted.count(*key) != 0) {
      ++key;
      continue;
    }
    if (bpf_map_delete_elem(keys.map, &*key) != 0) throw Failure{std::string("remove from ") + keys.name, errno, ""};
    key = keys.present.erase(key);
  }
}

FilterMaps::FilterMaps(const Programs& programs)
    : pids_(Read<uint32_t>(programs, "filter_pids")),
      comms_(Read<Comm>(programs, "filter_comms")),
      cgroups_(Read<uint64_t>(programs, "filter_cgroups")) {}

void FilterMaps::Replace(const Filter& filter) {
  Replace(pids_, filter.pids);
  Replace(comms_, filter.comms);
  Replace(cgroups_, filter.cgroups);
}

uint32_t FilterMaps::Bits() const {
  return (pids_.present.empty() ? 0 : RINGSIDE_FILTER_PIDS) | (comms_.present.empty() ? 0 : RINGSIDE_FILTER_COMMS) |
         (cgroups_.present.empty() ? 0 : RINGSIDE_FILTER_CGROUPS);
}

}  // namespace ringside
