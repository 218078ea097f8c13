// SPDX-License-Identifier: Apache-2.0
// Records to rows of a batch's process table, as producer/encode/process-table.ts has it. A process keeps its executable and
// container from first sight until exec or exit; what tells one of its rows from another is encoded once.
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

// What /proc knows of a process.
struct ProcessFacts {
  // In clock ticks since boot: with pid, its identity.
  double start_ticks;
  std::optional<std::string> exe;
  std::optional<std::string> container_id;
};

using PresentProcesses = std::unordered_map<int32_t, ProcessFacts>;
// A process was seen for the first time, or began another program.
using OnBegan = std::function<void(int32_t pid, uint64_t start_ns)>;
using ReadProc = std::function<std::optional<ProcessFacts>(int32_t pid)>;

class ProcessTable {
 public:
  struct Row {
    int32_t index;
    // Bytes by which it raised the bound on the batch's size; 0 when it was there.
    size_t bytes;
    // A number for the program that it runs, which no other process or program has.
    uint64_t program;
  };

  // `present`: what was running before the first event; of others `read` is asked.
  ProcessTable(PresentProcesses present, ReadProc read, OnBegan on_began)
      : present_(std::move(present)), read_(std::move(read)), on_began_(std::move(on_began)) {}

  // The process of a record; one new to the batch is added to its rows. The batch's number grows.
  Row IndexOf(const ringside_event& record, uint64_t batch, int32_t& count, Output& rows);
  // A process began a program: what is known of it changes. To be called before IndexOf.
  void Exec(const ringside_event& record, std::string_view path);
  // A process began: it has its parent's executable and container until it changes them.
  void Fork(const ringside_event& record);
  // A process ended. To be called after IndexOf.
  void Exit(const ringside_event& record);

 private:
  // What a row is distinct by, beside pid and start. Without holes: compared as bytes.
  struct Name {
    char comm[RINGSIDE_COMM_SIZE];
    uint32_t uid;
    uint32_t ppid;
    uint64_t cgroup_id;
  };
  struct NamedRow {
    Name name;
    // Its fields up to the name; those behind are the entry's and the cgroup.
    std::string encoded;
    uint64_t batch;
    int32_t index;
  };
  struct Entry {
    // Tells it from a later process of the same pid.
    uint64_t id;
    uint64_t start_ns;
    std::optional<std::string> exe;
    std::optional<std::string> container_id;
    uint64_t program;
    std::vector<NamedRow> rows;
  };

  // About 600 bytes each, a few times as much with dozens of names. A busy host has some thousands of processes.
  static constexpr size_t kMaxProcesses = 32768;
  // Names and users of one process's threads; a JVM has dozens, more than this are made again.
  static constexpr size_t kMaxRows = 64;
  // Ended processes kept a while, without rows: the outcome of a connect, and what was counted, can be told after
  // the exit.
  static constexpr size_t kMaxEnded = 8192;

  Entry& EntryOf(const ringside_event& record);
  Entry& Add(const ringside_event& record, std::optional<std::string> exe, std::optional<std::string> container_id);
  // What /proc says, unless its process of that pid began at another time.
  std::optional<ProcessFacts> Read(const ringside_event& record);
  void Began(const ringside_event& record) const;
  NamedRow MakeRow(const ringside_event& record, const Name& name);

  LruCache<int32_t, Entry> entries_{kMaxProcesses};
  std::deque<std::pair<int32_t, uint64_t>> ended_;
  uint64_t last_id_ = 0;
  uint64_t last_program_ = 0;
  PresentProcesses present_;
  const ReadProc read_;
  // Null unless somebody wants to know.
  const OnBegan on_began_;
  std::string scratch_;
};

}  // namespace ringside
