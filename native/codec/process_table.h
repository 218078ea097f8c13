// SPDX-License-Identifier: Apache-2.0
// Rows of a batch's process table, as in producer/encode/process-table.ts. A process keeps its executable and container
// until it executes another program. The fields that distinguish its rows are encoded once.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "lru_cache.h"
#include "record.h"

namespace ringside {

// Data about a process from /proc.
struct ProcessFacts {
  // Clock ticks since boot; identifies the process together with its pid.
  double start_ticks;
  std::optional<std::string> exe;
  std::optional<std::string> container_id;
};

using PresentProcesses = std::unordered_map<int32_t, ProcessFacts>;
// Called when a process is seen for the first time and when it executes a program.
using OnProgramStart = std::function<void(int32_t pid, uint64_t start_ns, uint64_t time_ns)>;
using ReadProc = std::function<std::optional<ProcessFacts>(int32_t pid)>;
// The container's id in the paths of a cgroup, by producer/container-id.ts.
using ContainerIdIn = std::function<std::optional<std::string>(std::string_view cgroup)>;

class ProcessTable {
 public:
  struct Row {
    int32_t index;
    // Increase of the bound on the batch's size; 0 when the batch already has the row.
    size_t bytes;
    // Identifies the program that the process runs: no other process or program has the same number.
    uint64_t program;
  };

  // `present`: the processes that ran before the first event. `read` finds others. `on_program_start` may be null.
  ProcessTable(PresentProcesses present, ReadProc read, ContainerIdIn container_id_in, OnProgramStart on_program_start)
      : present_(std::move(present)),
        read_(std::move(read)),
        container_id_in_(std::move(container_id_in)),
        on_program_start_(std::move(on_program_start)) {}

  // Returns the record's process, and adds a row unless the batch has it. `batch` is the batch's number.
  Row IndexOf(const ringside_event& record, uint64_t batch, int32_t& count, Output& rows);
  // The process executed a program. Call before IndexOf.
  void Exec(const ringside_event& record, std::string_view path);
  // A new process starts with its creator's executable and container; the creator is matched by pid and start. Call
  // before IndexOf.
  void Fork(const ringside_event& record);
  // The process ended. Call after IndexOf.
  void Exit(const ringside_event& record);

 private:
  // Distinguishes the rows of one process. Without padding: compared as bytes.
  struct Name {
    char comm[RINGSIDE_COMM_SIZE];
    uint32_t uid;
    uint32_t euid;
    uint32_t ppid;
    uint32_t zero;
    uint64_t cgroup_id;
  };
  struct NamedRow {
    Name name;
    // The row's fields up to comm; the entry and the name have the others.
    std::string encoded;
    uint64_t batch;
    int32_t index;
  };
  struct Entry {
    // Distinguishes it from a later process with the same pid.
    uint64_t id;
    uint64_t start_ns;
    std::optional<std::string> exe;
    std::optional<std::string> container_id;
    // The process that made it; -1 when its fork was not observed.
    int64_t creator_pid;
    int64_t creator_start_us;
    uint64_t program;
    std::vector<NamedRow> rows;
  };

  // About 600 bytes each, a few times as much with dozens of rows. A busy host has some thousands of processes.
  static constexpr size_t kMaxProcesses = 32768;
  // Rows for the names and users of a process's threads; a JVM has dozens. Evicted rows are made again.
  static constexpr size_t kMaxRows = 64;
  // Ended processes are kept for a while, without rows: the outcome of a connect and the last summaries can follow
  // the exit.
  static constexpr size_t kMaxEnded = 8192;
  // Some 100 bytes each; a busy host has some hundreds of cgroups.
  static constexpr size_t kMaxCgroups = 4096;

  Entry& EntryOf(const ringside_event& record);
  struct Creator {
    int64_t pid = -1;
    int64_t start_us = -1;
  };
  Entry& Add(const ringside_event& record, std::optional<std::string> exe, std::optional<std::string> container_id,
             Creator creator);
  Entry& AddUnknown(const ringside_event& record, std::optional<std::string> container_id, Creator creator);
  // Data about the process with this pid and start, from the table or /proc.
  std::optional<ProcessFacts> FactsOf(int32_t pid, uint64_t start_ns);
  // Data from /proc, unless the pid belongs to another process by now.
  std::optional<ProcessFacts> Read(int32_t pid, uint64_t start_ns);
  std::optional<std::string> ContainerIdOf(const ringside_event& record);
  void ProgramStarted(const ringside_event& record) const;
  NamedRow MakeRow(const ringside_event& record, const Name& name);

  LruCache<int32_t, Entry> entries_{kMaxProcesses};
  std::deque<std::pair<int32_t, uint64_t>> ended_;
  uint64_t last_id_ = 0;
  uint64_t last_program_ = 0;
  PresentProcesses present_;
  const ReadProc read_;
  const ContainerIdIn container_id_in_;
  // By the paths of a cgroup: JavaScript is asked once for each.
  LruCache<std::string, std::optional<std::string>> container_ids_{kMaxCgroups};
  const OnProgramStart on_program_start_;
  std::string scratch_;
};

}  // namespace ringside
