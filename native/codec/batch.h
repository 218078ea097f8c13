// SPDX-License-Identifier: Apache-2.0
// Encodes records one by one into the rows of an EventBatch (schemas/event_batch.avsc). The layout of the rows is in
// batch.cc and in the three tables, for the schema of kSchemaFingerprint.
#pragma once

#include <vector>

#include "process_table.h"
#include "socket_table.h"
#include "stack_table.h"

namespace ringside {

// Fingerprint of the schema's Parsing Canonical Form, as wire/fingerprint.ts computes it.
constexpr const char* kSchemaFingerprint = "f08142e2ef21e15d";

// By ABI and number; empty for numbers without a call.
using CallNames = std::vector<std::optional<std::string>>;

class Batch {
 public:
  Batch(ProcessTable processes, StackTable stacks, CallNames names)
      : process_table_(std::move(processes)), stack_table_(std::move(stacks)), names_(std::move(names)) {}

  void AddEvent(const ringside_event& record);
  void AddSummary(const ringside_event& record);

  // Events and summaries.
  size_t count() const { return events_.times.size() + summaries_.times.size(); }
  // Upper bound on the encoded size of the rows.
  size_t bytes() const { return bytes_; }

  // Closes the batch. `before` and `after` are the encoded fields on either side of the rows. Times become relative to
  // the clock. The result is valid until the next call.
  const Output& Encode(std::string_view before, int64_t clock_us, std::string_view after);

 private:
  // Encoded rows of a table.
  struct Table {
    Output bytes;
    int32_t count = 0;
  };
  // Encoded rows without their time_offset_ns, which Encode() inserts: it depends on the clock.
  struct TimedRows {
    struct Time {
      size_t offset;
      uint64_t ns;
    };
    Output bytes;
    std::vector<Time> times;
  };

  ProcessTable::Row ProcessOf(const ringside_event& record);
  int32_t SocketOf(const ringside_event& record);
  int32_t StackIndexOf(const ringside_event& record, const Program& program);
  std::optional<std::string_view> NameOf(const ringside_event& record) const;
  void Write(const Table& table);
  void Write(const TimedRows& rows, int64_t clock_us);

  ProcessTable process_table_;
  SocketTable socket_table_;
  StackTable stack_table_;
  const CallNames names_;
  uint64_t number_ = 1;
  Table processes_;
  Table sockets_;
  Table stacks_;
  TimedRows events_;
  TimedRows summaries_;
  size_t bytes_ = 0;
  Output encoded_;
  std::string path_scratch_;
  std::string extra_scratch_;
};

}  // namespace ringside
