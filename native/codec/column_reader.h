// SPDX-License-Identifier: Apache-2.0
// The rows of an EventBatch (schemas/event_batch.avsc) to columns (wire/columns.ts). The shape of the rows is written
// down in column_reader.cc, for the schema of kSchemaFingerprint.
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
  Column<double> seq, time_offset_ns, duration_ns, ret;
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

// Rows that JavaScript makes objects of, once for each that differs: by row, its number and where it begins.
struct RowColumns {
  explicit RowColumns(const Napi::Object& owner);

  Column<int32_t> number, place;
  NumberedBytes seen;
};

class ColumnReader {
 public:
  // The code of a call's name; asked once for each.
  using CodeOf = std::function<int32_t(std::string_view)>;

  // `columns`: what native/codec/codec.ts has as DecodedRows. `syscalls`: codes of the symbols of the enum Syscall.
  ColumnReader(const Napi::Object& columns, std::vector<int32_t> syscalls, CodeOf code_of);

  // Replaces the columns by those of a message whose rows begin at `begin`; returns where they end. Throws Damage.
  size_t Read(const uint8_t* bytes, size_t begin, size_t end);
  // From now on every row is new.
  void Forget();

 private:
  // Names that a message may have beyond the ABI's: those of later kernels, and what a broken edge makes up.
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
