// SPDX-License-Identifier: Apache-2.0
#include "batch.h"

#include "utf8.h"

namespace ringside {

namespace {

// Upper bounds on the Avro bytes of a row without its strings (producer/encode/avsc-batch.ts).
constexpr size_t kEventBytes = 140;
constexpr size_t kSummaryBytes = 112;
constexpr size_t kBucketBytes = 8;
constexpr size_t kLongBytes = 10;

// Number of symbols of the enum EventKind, which lacks the summary; later kinds are encoded as other.
constexpr uint8_t kKinds = RINGSIDE_KIND_SUMMARY;

// enum ringside_call and the Avro enum Syscall have the same numbers.
uint8_t SyscallOf(const ringside_event& record) {
  return record.call < RINGSIDE_CALL_COUNT ? record.call : static_cast<uint8_t>(RINGSIDE_CALL_NONE);
}

bool HasArg(uint8_t call) {
  return call == RINGSIDE_CALL_OPEN || call == RINGSIDE_CALL_OPENAT || call == RINGSIDE_CALL_OPENAT2 ||
         call == RINGSIDE_CALL_CREAT || call == RINGSIDE_CALL_OPEN_BY_HANDLE_AT || call == RINGSIDE_CALL_UNLINKAT ||
         call == RINGSIDE_CALL_MOUNT || call == RINGSIDE_CALL_MEMFD_CREATE || call == RINGSIDE_CALL_PTRACE;
}

size_t SizeOf(std::optional<std::string_view> text) { return text ? text->size() : 0; }

uint8_t* WriteBuckets(uint8_t* at, const ringside_cell* begin, const ringside_cell* end, ringside_measure measure) {
  int64_t count = 0;
  for (const ringside_cell* cell = begin; cell != end; cell++) count += cell->measure == measure;
  if (count > 0) at = WriteLong(at, count);
  for (const ringside_cell* cell = begin; cell != end; cell++) {
    if (cell->measure != measure) continue;
    at = WriteLong(at, cell->index);
    at = WriteLong(at, cell->count);
  }
  return WriteLong(at, 0);
}

}  // namespace

void Batch::AddEvent(const ringside_event& record) {
  std::optional<std::string_view> path;
  if (record.path_size != 0) path = WellFormed(PathOf(record), path_scratch_);
  const bool is_io_uring = record.kind == RINGSIDE_KIND_IO_URING || record.kind == RINGSIDE_KIND_IO_URING_OUTCOME;
  // The second string of an exec or fork is the cgroup's path, which only the process table uses.
  const bool is_new_process = record.kind == RINGSIDE_KIND_EXEC || record.kind == RINGSIDE_KIND_FORK;
  std::optional<std::string_view> path_to, path_given;
  const bool is_opened = (record.flags & RINGSIDE_PATH_OPENED) != 0;
  if (record.extra_size != 0 && !is_new_process) {
    const std::string_view extra = WellFormed(ExtraOf(record), extra_scratch_);
    if (!is_opened) {
      path_to = extra;
    } else if (extra != path) {
      path_given = extra;
    }
  }
  if (record.kind == RINGSIDE_KIND_EXEC) process_table_.Exec(record, path.value_or(""));
  if (record.kind == RINGSIDE_KIND_FORK) process_table_.Fork(record);
  std::optional<std::string_view> name;
  if (record.call == RINGSIDE_CALL_OTHER || is_io_uring) name = NameOf(record);
  const ProcessTable::Row process = ProcessOf(record);
  const int32_t socket = (record.flags & RINGSIDE_HAS_SOCKET) == 0 ? -1 : SocketOf(record);
  const int32_t stack = HasStack(record) ? StackIndexOf(record, process.program) : -1;

  const size_t bytes = kEventBytes + SizeOf(path) + SizeOf(name) + SizeOf(path_to) + SizeOf(path_given);
  uint8_t* at = events_.bytes.Room(bytes);
  at = WriteLong(at, record.kind < kKinds ? record.kind : static_cast<uint8_t>(RINGSIDE_KIND_OTHER));
  at = WriteLong(at, SyscallOf(record));
  at = WriteLong(at, process.index);
  at = WriteLong(at, socket);
  at = WriteLong(at, record.cpu);
  at = WriteLong(at, ClampUnsigned(record.seq));
  events_.times.push_back({static_cast<size_t>(at - events_.bytes.data()), record.time_ns});
  at = WriteLong(at, ClampUnsigned(record.duration_ns));
  at = WriteLong(at, static_cast<int32_t>(record.tid));
  at = WriteLong(at, ClampSigned(record.ret));
  at = WriteLong(at, record.fd);
  at = WriteOptional(at, path);
  *at++ = (record.flags & RINGSIDE_PATH_TRUNCATED) != 0;
  at = WriteOptional(at, name);
  at = WriteOptional(at, path_to);
  at = WriteLong(at, HasArg(record.call) || is_io_uring ? int64_t{record.arg} : -1);
  at = WriteLong(at, record.call == RINGSIDE_CALL_PTRACE ? record.reference : -1);
  at = WriteLong(at, stack);
  const bool has_call = record.kind != RINGSIDE_KIND_FORK && record.origin_id != 0;
  *at++ = is_opened;
  at = WriteOptional(at, path_given);
  *at++ = (record.flags & RINGSIDE_ADDRESS_GIVEN) != 0;
  *at++ = (record.flags & RINGSIDE_ARGUMENT_CHANGED) != 0;
  at = WriteLong(at, has_call ? static_cast<int32_t>(record.origin) : -1);
  at = WriteLong(at, has_call ? ClampUnsigned(record.origin_id) : -1);
  *at++ = (record.flags & RINGSIDE_PATH_DELETED) != 0;
  *at++ = record.not_entered == 0;
  at = WriteLong(at, record.messages == 0 ? -1 : ClampUnsigned(record.amount));
  at = WriteLong(at, record.messages == 0 ? -1 : record.messages);
  at = WriteLong(at, record.target);
  at = WriteLong(at, record.call == RINGSIDE_CALL_OPENAT2 ? ClampUnsigned(record.amount) : -1);
  at = WriteLong(at, record.call == RINGSIDE_CALL_PTRACE ? -1 : record.reference);
  events_.bytes.Commit(at);
  bytes_ += bytes;
  if (record.kind == RINGSIDE_KIND_EXIT) process_table_.Exit(record);
}

void Batch::AddSummary(const ringside_event& record) {
  const auto& summary = *reinterpret_cast<const ringside_summary*>(record.path);
  const ringside_cell* end = summary.cells + (record.path_size - sizeof(summary)) / sizeof(ringside_cell);
  std::optional<std::string_view> name;
  if (record.call == RINGSIDE_CALL_OTHER) name = NameOf(record);
  const int32_t process = ProcessOf(record).index;

  const size_t bytes = kSummaryBytes + SizeOf(name) + kBucketBytes * static_cast<size_t>(end - summary.cells);
  uint8_t* at = summaries_.bytes.Room(bytes);
  at = WriteLong(at, process);
  at = WriteLong(at, SyscallOf(record));
  at = WriteOptional(at, name);
  at = WriteLong(at, record.event_class);
  at = WriteLong(at, ClampUnsigned(record.seq));
  summaries_.times.push_back({static_cast<size_t>(at - summaries_.bytes.data()), record.time_ns});
  at = WriteLong(at, ClampUnsigned(record.duration_ns));
  at = WriteLong(at, ClampUnsigned(summary.count));
  at = WriteLong(at, ClampUnsigned(summary.errors));
  at = WriteLong(at, ClampUnsigned(summary.total_ns));
  at = WriteLong(at, ClampUnsigned(summary.bytes));
  at = WriteBuckets(at, summary.cells, end, RINGSIDE_MEASURE_LATENCY);
  at = WriteBuckets(at, summary.cells, end, RINGSIDE_MEASURE_BYTES);
  at = WriteBuckets(at, summary.cells, end, RINGSIDE_MEASURE_ERRNO);
  at = WriteLong(at, ClampUnsigned(summary.limited));
  at = WriteLong(at, ClampUnsigned(summary.uncounted));
  summaries_.bytes.Commit(at);
  bytes_ += bytes;
}

const Output& Batch::Encode(std::string_view before, int64_t clock_us, std::string_view after) {
  encoded_.clear();
  encoded_.Append(before.data(), before.size());
  Write(processes_);
  Write(sockets_);
  Write(stacks_);
  Write(events_, clock_us);
  Write(summaries_, clock_us);
  encoded_.Append(after.data(), after.size());
  number_++;
  for (Table* table : {&processes_, &sockets_, &stacks_}) {
    table->bytes.clear();
    table->count = 0;
  }
  for (TimedRows* rows : {&events_, &summaries_}) {
    rows->bytes.clear();
    rows->times.clear();
  }
  bytes_ = 0;
  return encoded_;
}

ProcessTable::Row Batch::ProcessOf(const ringside_event& record) {
  const ProcessTable::Row row = process_table_.IndexOf(record, number_, processes_.count, processes_.bytes);
  bytes_ += row.bytes;
  return row;
}

int32_t Batch::SocketOf(const ringside_event& record) {
  const SocketTable::Row row = socket_table_.IndexOf(record.socket, number_, sockets_.count, sockets_.bytes);
  bytes_ += row.bytes;
  return row.index;
}

int32_t Batch::StackIndexOf(const ringside_event& record, const Program& program) {
  const StackTable::Row row = stack_table_.IndexOf(record, program, number_, stacks_.count, stacks_.bytes);
  bytes_ += row.bytes;
  return row.index;
}

std::optional<std::string_view> Batch::NameOf(const ringside_event& record) const {
  const size_t abi = (record.flags & RINGSIDE_IS_COMPAT) == 0 ? RINGSIDE_ABI_NATIVE : RINGSIDE_ABI_COMPAT;
  return names_[abi * RINGSIDE_NR_MAX + record.nr];
}

// An Avro array: a block of items after their count, then the count 0. An empty array is the count 0 alone.
void Batch::Write(const Table& table) {
  if (table.count > 0) encoded_.Commit(WriteLong(encoded_.Room(kLongBytes), table.count));
  encoded_.Append(table.bytes.data(), table.bytes.size());
  encoded_.Commit(WriteLong(encoded_.Room(kLongBytes), 0));
}

void Batch::Write(const TimedRows& rows, int64_t clock_us) {
  const size_t count = rows.times.size();
  uint8_t* at = encoded_.Room(rows.bytes.size() + kLongBytes * (count + 2));
  if (count > 0) at = WriteLong(at, static_cast<int64_t>(count));
  size_t written = 0;
  const auto copy_to = [&](size_t end) {
    if (end > written) std::memcpy(at, rows.bytes.data() + written, end - written);
    at += end - written;
    written = end;
  };
  for (const TimedRows::Time& time : rows.times) {
    copy_to(time.offset);
    const __int128 since_us = __int128{Microseconds(time.ns)} - clock_us;
    at = WriteLong(at, ClampSigned(since_us * 1000 + static_cast<int64_t>(time.ns % 1000)));
  }
  copy_to(rows.bytes.size());
  encoded_.Commit(WriteLong(at, 0));
}

}  // namespace ringside
