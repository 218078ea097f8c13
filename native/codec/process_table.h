// SPDX-License-Identifier: Apache-2.0
// Rows of a batch's process table, as in producer/encode/process-table.ts. A record names its process, by pid and start,
// and the program that the process ran then: it may arrive after a later exec. The fields that distinguish the rows of a
// program are encoded once.
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

// Identifies one execution of a program by the process that executed it; with exec_id 0, that process.
struct ProgramKey {
  int32_t pid;
  uint64_t start_ns;
  uint32_t exec_id = 0;

  bool operator==(const ProgramKey& other) const {
    return pid == other.pid && start_ns == other.start_ns && exec_id == other.exec_id;
  }
};

struct ProgramKeyHash {
  size_t operator()(const ProgramKey& key) const {
    return (key.start_ns ^ uint64_t{static_cast<uint32_t>(key.pid)} << 40 ^ uint64_t{key.exec_id} << 20) *
           0x9e3779b97f4a7c15;
  }
};

// Children share it until they execute another.
struct Program {
  // No other one has the same number.
  uint64_t number;
  ProgramKey key;
};

using PresentProcesses = std::unordered_map<int32_t, ProcessFacts>;
// Called when a process is seen for the first time and when it executes a program.
using OnProgramStart = std::function<void(const ProgramKey& program)>;
using ReadProc = std::function<std::optional<ProcessFacts>(int32_t pid)>;
// The container's id in the paths of a cgroup, by producer/container-id.ts.
using ContainerIdIn = std::function<std::optional<std::string>(std::string_view cgroup)>;

class ProcessTable {
 public:
  struct Row {
    int32_t index;
    // Increase of the bound on the batch's size; 0 when the batch already has the row.
    size_t bytes;
    Program program;
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
  // A new process starts with its creator's program and container; the creator is matched by pid and start. Call before
  // IndexOf.
  void Fork(const ringside_event& record);
  // The process ended. Call after IndexOf.
  void Exit(const ringside_event& record);

 private:
  // Distinguishes the rows of one program. Without padding: compared as bytes.
  struct Name {
    char comm[RINGSIDE_COMM_SIZE];
    uint32_t uid;
    uint32_t euid;
    uint32_t ppid;
    uint32_t version;
    uint64_t cgroup_id;
  };
  struct NamedRow {
    Name name;
    // The row's fields up to comm; the entry and the name have the others.
    std::string encoded;
    uint64_t batch;
    int32_t index;
  };
  // What a process runs from one exec to the next.
  struct Execution {
    uint32_t exec_id;
    std::optional<std::string> exe;
    Program program;
    std::vector<NamedRow> rows;
  };
  // The process that made another; -1 when its fork was not observed.
  struct Creator {
    int64_t pid = -1;
    int64_t start_us = -1;
  };
  struct Entry {
    // Of the fields that all its rows have; no two entries share one.
    uint32_t version;
    std::optional<std::string> container_id;
    Creator creator;
    // The latest one.
    Execution execution;
  };

  // About 600 bytes each, a few times as much with dozens of rows. A busy host has some thousands of processes.
  static constexpr size_t kMaxProcesses = 32768;
  // Executions that an exec ended, without rows, some 200 bytes each: summaries of a second, and calls of the other ring,
  // can follow the exec. A busy host has some hundreds of execs a second.
  static constexpr size_t kMaxFormer = 8192;
  // Rows for the names and users of a process's threads; a JVM has dozens. Evicted rows are made again.
  static constexpr size_t kMaxRows = 64;
  // Ended processes are kept for a while, without rows: the outcome of a connect and the last summaries can follow
  // the exit.
  static constexpr size_t kMaxEnded = 8192;
  // Some 100 bytes each; a busy host has some hundreds of cgroups.
  static constexpr size_t kMaxCgroups = 4096;

  Entry& EntryOf(const ringside_event& record);
  // The execution that has the id: the latest, a former one, or a later one whose exec was not observed.
  Execution& ExecutionOf(Entry& entry, const ProgramKey& program);
  // Replaces the latest execution, which becomes a former one.
  Execution& Begin(Entry& entry, const ProgramKey& program, std::optional<std::string> exe);
  Execution MakeExecution(const ProgramKey& program, std::optional<std::string> exe);
  Entry& AddUnknown(const ringside_event& record, std::optional<std::string> container_id, Creator creator);
  Entry& Add(const ringside_event& record, std::optional<std::string> container_id, Creator creator,
             Execution execution);
  // Data from /proc, unless the pid belongs to another process by now.
  std::optional<ProcessFacts> Read(const ProgramKey& process);
  std::optional<std::string> ExeOf(const ProgramKey& process);
  std::optional<std::string> ContainerIdOf(const ringside_event& record);
  void ProgramStarted(const ProgramKey& program) const;
  NamedRow MakeRow(const ringside_event& record, const Name& name);

  LruCache<ProgramKey, Entry, ProgramKeyHash> entries_{kMaxProcesses};
  LruCache<ProgramKey, Execution, ProgramKeyHash> former_{kMaxFormer};
  std::deque<ProgramKey> ended_;
  uint64_t last_program_ = 0;
  uint32_t last_version_ = 0;
  PresentProcesses present_;
  const ReadProc read_;
  const ContainerIdIn container_id_in_;
  // By the paths of a cgroup: JavaScript is asked once for each.
  LruCache<std::string, std::optional<std::string>> container_ids_{kMaxCgroups};
  const OnProgramStart on_program_start_;
  std::string scratch_;
};

}  // namespace ringside
