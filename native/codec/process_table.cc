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

ProgramKey ProcessOf(const ringside_event& record) { return {static_cast<int32_t>(record.pid), record.start_ns}; }

ProgramKey ProgramOf(const ringside_event& record) {
  return {static_cast<int32_t>(record.pid), record.start_ns, record.exec_id};
}

ProgramKey CreatorOf(const ringside_event& record) { return {static_cast<int32_t>(record.origin), record.origin_id}; }

// Ids wrap.
bool IsLater(uint32_t exec_id, uint32_t than) { return static_cast<int32_t>(exec_id - than) > 0; }

template <typename T>
std::optional<T> FirstOf(std::optional<T> first, std::optional<T> second) {
  return first ? std::move(first) : std::move(second);
}

}  // namespace

ProcessTable::Row ProcessTable::IndexOf(const ringside_event& record, uint64_t batch, int32_t& count, Output& rows) {
  Entry& entry = EntryOf(record);
  Execution& execution = ExecutionOf(entry, ProgramOf(record));
  Name name{{}, record.uid, record.euid, record.ppid, entry.version, record.cgroup_id};
  std::memcpy(name.comm, record.comm, sizeof(name.comm));
  const auto is_it = [&name](const NamedRow& row) { return std::memcmp(&row.name, &name, sizeof(name)) == 0; };
  auto row = std::find_if(execution.rows.begin(), execution.rows.end(), is_it);
  if (row == execution.rows.end()) {
    NamedRow made = MakeRow(record, name);
    if (execution.rows.size() == kMaxRows) execution.rows.erase(execution.rows.begin());
    row = execution.rows.insert(execution.rows.end(), std::move(made));
  }
  if (row->batch == batch) return {row->index, 0, execution.program};
  row->batch = batch;
  row->index = count++;
  const size_t bytes = kRowBytes + (execution.exe ? execution.exe->size() : 0);
  uint8_t* at = rows.Room(bytes);
  std::memcpy(at, row->encoded.data(), row->encoded.size());
  at = WriteOptional(at + row->encoded.size(), execution.exe);
  at = WriteOptional(at, entry.container_id);
  at = WriteLong(at, ClampUnsigned(name.cgroup_id));
  at = WriteLong(at, name.euid);
  at = WriteLong(at, entry.creator.pid);
  at = WriteLong(at, entry.creator.start_us);
  rows.Commit(at);
  return {row->index, bytes, execution.program};
}

void ProcessTable::Exec(const ringside_event& record, std::string_view path) {
  const ProgramKey program = ProgramOf(record);
  std::optional<std::string> exe = path.empty() ? ExeOf(program) : std::string(path);
  Entry* entry = entries_.Get(ProcessOf(record));
  if (entry == nullptr) {
    entry = &Add(record, std::nullopt, Creator{}, MakeExecution(program, std::move(exe)));
  } else if (IsLater(record.exec_id, entry->execution.exec_id)) {
    Begin(*entry, program, std::move(exe));
  } else {
    // A call of the program was read before its exec.
    Execution& known = ExecutionOf(*entry, program);
    known.exe = std::move(exe);
    known.rows.clear();
  }
  // A container's first process is forked outside, moved into its cgroup, and executes then.
  if (!entry->container_id) {
    entry->container_id = ContainerIdOf(record);
    entry->version = ++last_version_;
  }
  ProgramStarted(program);
}

void ProcessTable::Fork(const ringside_event& record) {
  ProgramKey program = CreatorOf(record);
  const Creator creator{program.pid, Microseconds(program.start_ns)};
  Entry* const known = entries_.Get(program);
  // The child has a copy of the id.
  program.exec_id = record.exec_id;
  if (known != nullptr) {
    const Execution& execution = ExecutionOf(*known, program);
    Execution copy{record.exec_id, execution.exe, execution.program, {}};
    std::optional<std::string> container_id = known->container_id;
    if (!container_id) container_id = ContainerIdOf(record);
    Add(record, std::move(container_id), creator, std::move(copy));
    return;
  }
  std::optional<ProcessFacts> facts = Read(program);
  if (!facts) {
    AddUnknown(record, ContainerIdOf(record), creator);
    return;
  }
  if (!facts->container_id) facts->container_id = ContainerIdOf(record);
  Add(record, std::move(facts->container_id), creator, MakeExecution(program, std::move(facts->exe)));
}

void ProcessTable::Exit(const ringside_event& record) {
  const ProgramKey process = ProcessOf(record);
  Entry* entry = entries_.Get(process);
  if (entry == nullptr) return;
  entry->execution.rows = {};
  ended_.push_back(process);
  if (ended_.size() <= kMaxEnded) return;
  entries_.Erase(ended_.front());
  ended_.pop_front();
}

ProcessTable::Entry& ProcessTable::EntryOf(const ringside_event& record) {
  Entry* entry = entries_.Get(ProcessOf(record));
  return entry != nullptr ? *entry : AddUnknown(record, std::nullopt, Creator{});
}

ProcessTable::Execution& ProcessTable::ExecutionOf(Entry& entry, const ProgramKey& program) {
  if (entry.execution.exec_id == program.exec_id) return entry.execution;
  if (IsLater(program.exec_id, entry.execution.exec_id)) {
    ProgramStarted(program);
    return Begin(entry, program, ExeOf(program));
  }
  Execution* former = former_.Get(program);
  return former != nullptr ? *former : former_.Set(program, MakeExecution(program, std::nullopt));
}

ProcessTable::Execution& ProcessTable::Begin(Entry& entry, const ProgramKey& program, std::optional<std::string> exe) {
  entry.execution.rows = {};
  former_.Set({program.pid, program.start_ns, entry.execution.exec_id}, std::move(entry.execution));
  return entry.execution = MakeExecution(program, std::move(exe));
}

ProcessTable::Execution ProcessTable::MakeExecution(const ProgramKey& program, std::optional<std::string> exe) {
  return {program.exec_id, std::move(exe), {++last_program_, program}, {}};
}

ProcessTable::Entry& ProcessTable::AddUnknown(const ringside_event& record, std::optional<std::string> container_id,
                                              Creator creator) {
  const ProgramKey program = ProgramOf(record);
  ProcessFacts facts = Read(program).value_or(ProcessFacts{});
  ProgramStarted(program);
  return Add(record, FirstOf(std::move(container_id), std::move(facts.container_id)), creator,
             MakeExecution(program, std::move(facts.exe)));
}

ProcessTable::Entry& ProcessTable::Add(const ringside_event& record, std::optional<std::string> container_id,
                                       Creator creator, Execution execution) {
  const ProgramKey process = ProcessOf(record);
  present_.erase(process.pid);
  return entries_.Set(process, Entry{++last_version_, std::move(container_id), creator, std::move(execution)});
}

std::optional<std::string> ProcessTable::ExeOf(const ProgramKey& process) {
  return Read(process).value_or(ProcessFacts{}).exe;
}

std::optional<std::string> ProcessTable::ContainerIdOf(const ringside_event& record) {
  const std::string cgroup(ExtraOf(record));
  if (const auto* known = container_ids_.Get(cgroup); known != nullptr) return *known;
  return container_ids_.Set(cgroup, container_id_in_(cgroup));
}

std::optional<ProcessFacts> ProcessTable::Read(const ProgramKey& process) {
  const double ticks = static_cast<double>(Microseconds(process.start_ns)) / kMicrosecondsPerTick;
  const auto is_it = [ticks](const ProcessFacts& facts) { return std::abs(facts.start_ticks - ticks) <= 1; };
  const auto present = present_.find(process.pid);
  if (present != present_.end() && is_it(present->second)) return present->second;
  std::optional<ProcessFacts> now = read_(process.pid);
  return now && is_it(*now) ? now : std::nullopt;
}

void ProcessTable::ProgramStarted(const ProgramKey& program) const {
  if (on_program_start_) on_program_start_(program);
}

ProcessTable::NamedRow ProcessTable::MakeRow(const ringside_event& record, const Name& name) {
  std::array<uint8_t, kRowBytes> encoded;
  uint8_t* at = encoded.data();
  at = WriteLong(at, static_cast<int32_t>(record.pid));
  at = WriteLong(at, Microseconds(record.start_ns));
  at = WriteLong(at, static_cast<int32_t>(record.ppid));
  at = WriteLong(at, record.uid);
  at = WriteBytes(at, WellFormed(CommOf(record), scratch_));
  return {name, std::string(encoded.data(), at), 0, 0};
}

}  // namespace ringside
