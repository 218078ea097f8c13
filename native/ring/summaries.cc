// SPDX-License-Identifier: Apache-2.0
#include "summaries.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

namespace ringside {

namespace {

// A bound on the list: an attacker can have thousands of processes limited.
constexpr size_t kMaxLimited = 16;
constexpr size_t kBuckets = sizeof(ringside_group::counts) / sizeof(uint32_t);
// path_size has 16 bits, and the size of a record is a multiple of 8.
constexpr size_t kMaxCells = (65528 - sizeof(ringside_summary)) / sizeof(ringside_cell);

auto SubjectOf(const ringside_group& group) {
  return std::make_tuple(group.pid, group.start_ns, group.exec_id, uint32_t{group.abi}, uint32_t{group.nr});
}

void AddCells(const ringside_group& group, std::map<std::pair<uint16_t, uint16_t>, uint64_t>& cells) {
  for (size_t bucket = 0; bucket < kBuckets; bucket++) {
    if (group.counts[bucket] == 0) continue;
    cells[{static_cast<uint16_t>(group.measure), static_cast<uint16_t>(group.place * kBuckets + bucket)}] += group.counts[bucket];
  }
}

ringside_event HeadOf(const ringside_group& group) {
  ringside_event event{};
  event.kind = RINGSIDE_KIND_SUMMARY;
  event.event_class = group.event_class;
  event.call = group.call;
  event.flags = group.abi == RINGSIDE_ABI_COMPAT ? RINGSIDE_IS_COMPAT : 0;
  event.start_ns = group.start_ns;
  event.cgroup_id = group.cgroup_id;
  event.cpu = RINGSIDE_SUMMARY_CPU;
  event.nr = group.nr;
  event.pid = group.pid;
  event.tid = group.pid;
  event.euid = group.euid;
  event.ppid = group.ppid;
  event.uid = group.uid;
  event.exec_id = group.exec_id;
  event.fd = -1;
  event.target = -1;
  event.reference = -1;
  event.advance = 1;
  std::memcpy(event.comm, group.comm, sizeof(event.comm));
  return event;
}

void KeepLargest(std::vector<LimitedCalls>& limited) {
  const auto end = limited.begin() + static_cast<ptrdiff_t>(std::min(limited.size(), kMaxLimited));
  std::partial_sort(limited.begin(), end, limited.end(),
                    [](const LimitedCalls& a, const LimitedCalls& b) { return a.count > b.count; });
  limited.erase(end, limited.end());
}

template <typename T>
void Append(std::vector<uint8_t>& to, const T& value) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
  to.insert(to.end(), bytes, bytes + sizeof(value));
}

}  // namespace

Summaries Summarize(const ringside_group* groups, size_t count, uint64_t seq_before, uint64_t time_ns,
                    uint64_t duration_ns) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [groups](uint32_t a, uint32_t b) { return SubjectOf(groups[a]) < SubjectOf(groups[b]); });
  Summaries summaries;
  for (auto first = order.begin(); first != order.end();) {
    const auto subject = SubjectOf(groups[*first]);
    const auto end = std::find_if(first, order.end(), [&](uint32_t i) { return SubjectOf(groups[i]) != subject; });
    ringside_summary totals{};
    std::map<std::pair<uint16_t, uint16_t>, uint64_t> cells;
    ringside_event event = HeadOf(groups[*first]);
    for (; first != end; ++first) {
      const ringside_group& group = groups[*first];
      const uint64_t calls = std::accumulate(std::begin(group.counts), std::end(group.counts), uint64_t{0});
      if (group.measure == RINGSIDE_MEASURE_LATENCY) {
        totals.count += calls;
        totals.total_ns += group.sum;
      } else if (group.measure == RINGSIDE_MEASURE_BYTES) {
        totals.bytes += group.sum;
      } else if (group.measure == RINGSIDE_MEASURE_ERRNO) {
        totals.errors += calls;
      }
      if (group.measure == RINGSIDE_MEASURE_DECLARED) {
        totals.limited += group.counts[RINGSIDE_DECLARED_LIMITED];
        totals.uncounted += group.counts[RINGSIDE_DECLARED_UNCOUNTED];
        continue;
      }
      // The duration of a request to io_uring is unknown: only its count is valid.
      if (group.nr < RINGSIDE_NR_URING) AddCells(group, cells);
    }
    // An empty group: allocated, but unused since another CPU was faster.
    if (totals.count + totals.limited + totals.uncounted == 0 && cells.empty()) continue;

    if (totals.limited > 0) {
      const std::string comm(event.comm, strnlen(event.comm, sizeof(event.comm)));
      const bool is_compat = (event.flags & RINGSIDE_IS_COMPAT) != 0;
      summaries.limited.push_back({event.pid, event.start_ns, comm, is_compat, event.nr, totals.limited});
    }
    const size_t kept = std::min(cells.size(), kMaxCells);
    if (kept < cells.size()) event.flags |= RINGSIDE_PATH_TRUNCATED;
    event.path_size = static_cast<uint16_t>(sizeof(totals) + kept * sizeof(ringside_cell));
    event.size = static_cast<uint32_t>(sizeof(event) + event.path_size);
    event.seq = seq_before + ++summaries.count;
    event.time_ns = time_ns;
    event.duration_ns = duration_ns;
    Append(summaries.records, event);
    Append(summaries.records, totals);
    size_t cell = 0;
    for (const auto& [place, calls] : cells) {
      if (cell++ == kept) break;
      const auto clamped = std::min<uint64_t>(calls, std::numeric_limits<uint32_t>::max());
      Append(summaries.records, ringside_cell{place.first, place.second, static_cast<uint32_t>(clamped)});
    }
  }
  KeepLargest(summaries.limited);
  return summaries;
}

}  // namespace ringside
