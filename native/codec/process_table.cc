// SPDX-License-Identifier: Apache-2.0
#include "process_table.h"

#include <algorithm>
#include <cmath>

#include "utf8.h"

namespace ringside {

namespace {

// Upper bound on the Avro bytes of a row without its exe (producer/encode/avsc-batch.ts).
constexpr size_t kRowBytes = 184;
// USER_HZ, which every Linux has reported to user space since 2.4.
constexpr double kMicrosecondsPerTick = 1e6 / 100;

int32_t PidOf(const ringside_event& record) { return static_cast<int32_t>(record.pid); }

template <typename T>
std::optional<T> FirstOf(std::optional<T> first, std::optional<T> second) {
  return first ? std::move(first) : std::move(second);
}

}  // namespace

ProcessTable::Row ProcessTable::IndexOf(const ringside_event& record, uint64_t batch, int32_t& count, Output& rows) {
  Entry& entry = EntryOf(record);
  Name name{{}, record.uid, record.euid, record.ppid, 0, record.cgroup_id};
  std::memcpy(name.comm, record.comm, sizeof(name.comm));
  const auto is_it = [&name](const NamedRow& row) { return std::memcmp(&row.name, &name, sizeof(name)) == 0; };
  auto row = std::find_if(entry.rows.begin(), entry.rows.end(), is_it);
  if (row == entry.rows.end()) {
    NamedRow made = MakeRow(record, name);
    if (entry.rows.size() == kMaxRows) entry.rows.erase(entry.rows.begin());
    row = entry.rows.insert(entry.rows.end(), std::move(made));
  }
  if (row->batch == batch) return {row->index, 0, entry.program};
  row->batch = batch;
  row->index = count++;
  const size_t bytes = kRowBytes + (entry.exe ? entry.exe->size() : 0);
  uint8_t* at = rows.Room(bytes);
  std::memcpy(at, row->encoded.data(), row->encoded.size());
  at = WriteOptional(at + row->encoded.size(), entry.exe);
  at = WriteOptional(at, entry.container_id);
  at = WriteLong(at, ClampUnsigned(name.cgroup_id));
  at = WriteLong(at, name.euid);
  at = WriteLong(at, entry.creator_pid);
  at = WriteLong(at, entry.creator_start_us);
  rows.Commit(at);
  return {row->index, bytes, entry.program};
}

void ProcessTable::Exec(const ringside_event& record, std::string_view path) {
  Entry& entry = EntryOf(record);
  entry.exe = path.empty() ? Read(PidOf(record), record.start_ns).value_or(ProcessFacts{}).exe : std::string(path);
  // A container's first process is forked outside, moved into its cgroup, and executes then.
  if (!entry.container_id) entry.container_id = ContainerIdOf(record);
  entry.rows.clear();
  entry.program = ++last_program_;
  ProgramStarted(record);
}

void ProcessTable::Fork(const ringside_event& record) {
  const Creator creator{static_cast<int32_t>(record.origin), Microseconds(record.origin_id)};
  std::optional<ProcessFacts> facts = FactsOf(static_cast<int32_t>(record.origin), record.origin_id);
  std::optional<std::string> container_id =
      facts && facts->container_id ? std::move(facts->container_id) : ContainerIdOf(record);
  if (facts) {
    Add(record, std::move(facts->exe), std::move(container_id), creator);
  } else {
    AddUnknown(record, std::move(container_id), creator);
  }
}

void ProcessTable::Exit(const ringside_event& record) {
  Entry* entry = entries_.Get(PidOf(record));
  if (entry == nullptr) return;
  entry->rows = {};
  ended_.emplace_back(PidOf(record), entry->id);
  if (ended_.size() <= kMaxEnded) return;
  const auto [pid, id] = ended_.front();
  ended_.pop_front();
  const Entry* oldest = entries_.Get(pid);
  if (oldest != nullptr && oldest->id == id) entries_.Erase(pid);
}

ProcessTable::Entry& ProcessTable::EntryOf(const ringside_event& record) {
  Entry* entry = entries_.Get(PidOf(record));
  if (entry != nullptr && entry->start_ns == record.start_ns) return *entry;
  return AddUnknown(record, std::nullopt, Creator{});
}

ProcessTable::Entry& ProcessTable::AddUnknown(const ringside_event& record, std::optional<std::string> container_id,
                                              Creator creator) {
  ProcessFacts facts = Read(PidOf(record), record.start_ns).value_or(ProcessFacts{});
  ProgramStarted(record);
  return Add(record, std::move(facts.exe), FirstOf(std::move(container_id), std::move(facts.container_id)), creator);
}

ProcessTable::Entry& ProcessTable::Add(const ringside_event& record, std::optional<std::string> exe,
                                       std::optional<std::string> container_id, Creator creator) {
  present_.erase(PidOf(record));
  return entries_.Set(PidOf(record), Entry{++last_id_, record.start_ns, std::move(exe), std::move(container_id),
                                           creator.pid, creator.start_us, ++last_program_, {}});
}

std::optional<ProcessFacts> ProcessTable::FactsOf(int32_t pid, uint64_t start_ns) {
  const Entry* entry = entries_.Get(pid);
  if (entry != nullptr && entry->start_ns == start_ns) return ProcessFacts{0, entry->exe, entry->container_id};
  return Read(pid, start_ns);
}

std::optional<std::string> ProcessTable::ContainerIdOf(const ringside_event& record) {
  const std::string cgroup(ExtraOf(record));
  if (const auto* known = container_ids_.Get(cgroup); known != nullptr) return *known;
  return container_ids_.Set(cgroup, container_id_in_(cgroup));
}

std::optional<ProcessFacts> ProcessTable::Read(int32_t pid, uint64_t start_ns) {
  const double ticks = static_cast<double>(Microseconds(start_ns)) / kMicrosecondsPerTick;
  const auto is_it = [ticks](const ProcessFacts& facts) { return std::abs(facts.start_ticks - ticks) <= 1; };
  const auto present = present_.find(pid);
  if (present != present_.end() && is_it(present->second)) return present->second;
  std::optional<ProcessFacts> now = read_(pid);
  return now && is_it(*now) ? now : std::nullopt;
}

void ProcessTable::ProgramStarted(const ringside_event& record) const {
  if (on_program_start_) on_program_start_(PidOf(record), record.start_ns, record.time_ns);
}

ProcessTable::NamedRow ProcessTable::MakeRow(const ringside_event& record, const Name& name) {
  std::array<uint8_t, kRowBytes> encoded;
  uint8_t* at = encoded.data();
  at = WriteLong(at, PidOf(record));
  at = WriteLong(at, Microseconds(record.start_ns));
  at = WriteLong(at, static_cast<int32_t>(record.ppid));
  at = WriteLong(at, record.uid);
  at = WriteBytes(at, WellFormed(CommOf(record), scratch_));
  return {name, std::string(encoded.data(), at), 0, 0};
}

}  // namespace ringside
