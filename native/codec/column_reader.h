// SPDX-License-Identifier: Apache-2.0
// Decodes the rows of an EventBatch (schemas/event_batch.avsc) to columns (wire/columns.ts). The layout of the rows is
// in column_reader.cc, for the schema of kSchemaFingerprint.
#pragma once

#include <functional>
#include <vector>

#include "avro_input.h"
#include "column.h"
#include "numbered_bytes.h"

namespace ringside {

struct EventColumns {
  explicit EventColumns(const Napi::Object& owner);
  template <typename Do>
  void ForEach(const Do& each);

  Column<uint8_t> kind;
  Column<int32_t> code, process, cpu, stack;
  Column<double> seq, time_offset_ns, duration_ns, ret, bytes;
};

struct BucketColumns {
  explicit BucketColumns(const Napi::Object& owner);

  Column<int32_t> begin, index;
  Column<double> count;
};

struct SummaryColumns {
  explicit SummaryColumns(const Napi::Object& owner);
  template <typename Do>
  void ForEach(const Do& each);

  Column<int32_t> code, process;
  Column<double> seq, time_offset_ns, duration_ns, count, errors, total_ns, bytes;
  BucketColumns latency, errnos;
};

// Rows that become JavaScript objects, one for each distinct row: its number and its offset in the message.
struct RowColumns {
  explicit RowColumns(const Napi::Object& owner);

  Column<int32_t> number, offset;
  NumberedBytes seen;
};

class ColumnReader {
 public:
  // Returns the code of a call's name; called once for each name.
  using CodeOf = std::function<int32_t(std::string_view)>;

  // `columns`: DecodedRows of native/codec/codec.ts. `syscalls`: codes of the symbols of the enum Syscall.
  ColumnReader(const Napi::Object& columns, std::vector<int32_t> syscalls, CodeOf code_of);

  // Overwrites the columns with the rows of a message, which start at `begin`; returns the rows' end. Throws Damage.
  size_t Read(const uint8_t* bytes, size_t begin, size_t end);
  // Evicts all known rows.
  void Clear();

 private:
  // Bounds the names outside the ABI: those of later kernels, and those that a broken edge makes up.
  static constexpr size_t kMaxNames = 8192;

  void Open();
  void ReadEvent(Input& in, size_t row);
  size_t ReadSummaries(Input& in);
  void ReserveBegins(size_t rows);
  int32_t CodeOfCall(uint32_t syscall, std::string_view name);

  Napi::ObjectReference events_owner_, summaries_owner_, processes_owner_, stacks_owner_;
  EventColumns events_;
  SummaryColumns summaries_;
  RowColumns processes_, stacks_;
  const std::vector<int32_t> syscalls_;
  const CodeOf code_of_;
  NumberedBytes names_;
  std::vector<int32_t> codes_;
};

}  // namespace ringside
