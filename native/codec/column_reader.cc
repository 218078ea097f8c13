// SPDX-License-Identifier: Apache-2.0
#include "column_reader.h"

#include <linux/types.h>

#include "../../bpf/event.h"

namespace ringside {

namespace {

// Numbers of symbols of the enums EventKind, which lacks the summary, and EventClass.
constexpr uint32_t kKinds = RINGSIDE_KIND_SUMMARY;
constexpr uint32_t kClasses = RINGSIDE_CLASS_COUNT;

// The fewest bytes of a row: one per field.
constexpr size_t kProcessBytes = 11;
constexpr size_t kSocketBytes = 8;
constexpr size_t kStackBytes = 3;
constexpr size_t kEventBytes = 31;
constexpr size_t kSummaryBytes = 16;
constexpr size_t kBucketBytes = 2;

// Placeholder for a code not looked up yet.
constexpr int32_t kUnknown = -1;

void SetLength(const Napi::ObjectReference& columns, size_t length) {
  columns.Value().Set("length", static_cast<double>(length));
}

Napi::Object ObjectIn(const Napi::Object& object, const char* name) { return object.Get(name).As<Napi::Object>(); }

// Calls `reserve` before each block with the total of rows so far, and `read` for each row. Returns the number of rows.
template <typename Reserve, typename Read>
size_t ReadArray(Input& in, size_t least, const Reserve& reserve, const Read& read) {
  size_t rows = 0;
  for (size_t left = in.Block(least); left > 0; left = in.Block(least)) {
    reserve(rows + left);
    for (; left > 0; left--) read(rows++);
  }
  return rows;
}

template <typename Read>
void SkipArray(Input& in, size_t least, const Read& read) {
  ReadArray(in, least, [](size_t) {}, [&](size_t) { read(); });
}

// Appends the buckets of one row to the column.
void ReadBuckets(Input& in, size_t row, size_t& end, BucketColumns& columns) {
  const size_t begin = end;
  const auto reserve = [&](size_t rows) {
    columns.index.Reserve(begin + rows);
    columns.count.Reserve(begin + rows);
  };
  end += ReadArray(in, kBucketBytes, reserve, [&](size_t i) {
    columns.index[begin + i] = in.Int();
    columns.count[begin + i] = static_cast<double>(in.Long());
  });
  columns.begin[row + 1] = static_cast<int32_t>(end);
}

void SkipBuckets(Input& in) {
  SkipArray(in, kBucketBytes, [&] {
    in.Int();
    in.Long();
  });
}

void SkipProcess(Input& in) {
  in.Int();       // pid
  in.Long();      // start_us
  in.Int();       // ppid
  in.Long();      // uid
  in.Bytes();     // comm
  in.Optional();  // exe
  in.Optional();  // container_id
  in.Long();      // cgroup_id
  in.Long();      // euid
  in.Int();       // creator_pid
  in.Long();      // creator_start_us
}

void SkipStack(Input& in) {
  in.Optional();  // go_function
  in.Optional();  // go_file
  in.Int();       // go_line
}

void SkipSocket(Input& in) {
  for (int field = 0; field < 3; field++) in.Int();
  in.Long();
  for (int end = 0; end < 2; end++) {
    in.Bytes();
    in.Long();
  }
}

// Numbers a row by its encoded bytes: equal rows have equal numbers.
template <typename Read>
void ReadNumbered(Input& in, const uint8_t* bytes, size_t row, RowColumns& columns, const Read& read) {
  const size_t begin = in.offset();
  read();
  const std::string_view encoded(reinterpret_cast<const char*>(bytes + begin), in.offset() - begin);
  columns.number[row] = columns.seen.NumberOf(encoded);
  columns.offset[row] = static_cast<int32_t>(begin);
}

}  // namespace

EventColumns::EventColumns(const Napi::Object& owner)
    : kind(owner, "kind"),
      code(owner, "code"),
      process(owner, "process"),
      cpu(owner, "cpu"),
      stack(owner, "stack"),
      seq(owner, "seq"),
      time_offset_ns(owner, "timeOffsetNs"),
      duration_ns(owner, "durationNs"),
      ret(owner, "ret"),
      bytes(owner, "bytes") {}

template <typename Do>
void EventColumns::ForEach(const Do& each) {
  each(kind);
  for (Column<int32_t>* column : {&code, &process, &cpu, &stack}) each(*column);
  for (Column<double>* column : {&seq, &time_offset_ns, &duration_ns, &ret, &bytes}) each(*column);
}

BucketColumns::BucketColumns(const Napi::Object& owner)
    : begin(owner, "begin"), index(owner, "index"), count(owner, "count") {}

SummaryColumns::SummaryColumns(const Napi::Object& owner)
    : code(owner, "code"),
      process(owner, "process"),
      seq(owner, "seq"),
      time_offset_ns(owner, "timeOffsetNs"),
      duration_ns(owner, "durationNs"),
      count(owner, "count"),
      errors(owner, "errors"),
      total_ns(owner, "totalNs"),
      bytes(owner, "bytes"),
      latency(ObjectIn(owner, "latency")),
      errnos(ObjectIn(owner, "errnos")) {}

template <typename Do>
void SummaryColumns::ForEach(const Do& each) {
  for (Column<int32_t>* column : {&code, &process}) each(*column);
  for (Column<double>* column : {&seq, &time_offset_ns, &duration_ns, &count, &errors, &total_ns, &bytes}) {
    each(*column);
  }
}

RowColumns::RowColumns(const Napi::Object& owner) : number(owner, "number"), offset(owner, "offset") {}

ColumnReader::ColumnReader(const Napi::Object& columns, std::vector<int32_t> syscalls, CodeOf code_of)
    : events_owner_(Napi::Persistent(ObjectIn(columns, "events"))),
      summaries_owner_(Napi::Persistent(ObjectIn(columns, "summaries"))),
      processes_owner_(Napi::Persistent(ObjectIn(columns, "processes"))),
      stacks_owner_(Napi::Persistent(ObjectIn(columns, "stacks"))),
      events_(events_owner_.Value()),
      summaries_(summaries_owner_.Value()),
      processes_(processes_owner_.Value()),
      stacks_(stacks_owner_.Value()),
      syscalls_(std::move(syscalls)),
      code_of_(std::move(code_of)) {}

size_t ColumnReader::Read(const uint8_t* bytes, size_t begin, size_t end) {
  Open();
  Input in(bytes, begin, end);
  const auto read_rows = [&](RowColumns& columns, size_t least, const auto& read) {
    const auto reserve = [&](size_t rows) {
      columns.number.Reserve(rows);
      columns.offset.Reserve(rows);
    };
    return ReadArray(in, least, reserve, [&](size_t row) { ReadNumbered(in, bytes, row, columns, read); });
  };
  const size_t processes = read_rows(processes_, kProcessBytes, [&] { SkipProcess(in); });
  SkipArray(in, kSocketBytes, [&] { SkipSocket(in); });
  const size_t stacks = read_rows(stacks_, kStackBytes, [&] { SkipStack(in); });
  const auto reserve_events = [&](size_t rows) {
    events_.ForEach([rows](auto& column) { column.Reserve(rows); });
  };
  const size_t events = ReadArray(in, kEventBytes, reserve_events, [&](size_t row) { ReadEvent(in, row); });
  const size_t summaries = ReadSummaries(in);
  SetLength(processes_owner_, processes);
  SetLength(stacks_owner_, stacks);
  SetLength(events_owner_, events);
  SetLength(summaries_owner_, summaries);
  return in.offset();
}

void ColumnReader::Clear() {
  processes_.seen.Clear();
  stacks_.seen.Clear();
}

void ColumnReader::Open() {
  const auto open = [](auto& column) { column.Open(); };
  events_.ForEach(open);
  summaries_.ForEach(open);
  for (BucketColumns* columns : {&summaries_.latency, &summaries_.errnos}) {
    open(columns->begin);
    open(columns->index);
    open(columns->count);
  }
  for (RowColumns* columns : {&processes_, &stacks_}) {
    open(columns->number);
    open(columns->offset);
  }
}

inline void ColumnReader::ReadEvent(Input& in, size_t row) {
  events_.kind[row] = static_cast<uint8_t>(in.Index(kKinds));
  const uint32_t syscall = in.Index(static_cast<uint32_t>(syscalls_.size()));
  events_.process[row] = in.Int();
  in.Int();  // socket
  events_.cpu[row] = in.Int();
  events_.seq[row] = static_cast<double>(in.Long());
  events_.time_offset_ns[row] = static_cast<double>(in.Long());
  events_.duration_ns[row] = static_cast<double>(in.Long());
  in.Int();  // tid
  events_.ret[row] = static_cast<double>(in.Long());
  in.Int();       // fd
  in.Optional();  // path
  in.Boolean();   // path_truncated
  events_.code[row] = CodeOfCall(syscall, in.Optional());
  in.Optional();  // path_to
  in.Long();      // arg
  in.Int();       // target_pid
  events_.stack[row] = in.Int();
  in.Boolean();   // path_opened
  in.Optional();  // path_given
  in.Boolean();   // address_given
  in.Boolean();   // argument_changed
  in.Int();       // call_cpu
  in.Long();      // call_seq
  in.Boolean();   // path_deleted
  in.Boolean();   // entered
  events_.bytes[row] = static_cast<double>(in.Long());
  in.Int();       // messages
  in.Int();       // target_given
  in.Long();      // resolve
  in.Int();       // registered_file
}

size_t ColumnReader::ReadSummaries(Input& in) {
  size_t latency_end = 0, errnos_end = 0;
  const auto reserve = [this](size_t rows) {
    summaries_.ForEach([rows](auto& column) { column.Reserve(rows); });
    ReserveBegins(rows);
  };
  ReserveBegins(0);
  summaries_.latency.begin[0] = summaries_.errnos.begin[0] = 0;
  return ReadArray(in, kSummaryBytes, reserve, [&](size_t row) {
    summaries_.process[row] = in.Int();
    const uint32_t syscall = in.Index(static_cast<uint32_t>(syscalls_.size()));
    summaries_.code[row] = CodeOfCall(syscall, in.Optional());
    in.Index(kClasses);
    summaries_.seq[row] = static_cast<double>(in.Long());
    summaries_.time_offset_ns[row] = static_cast<double>(in.Long());
    summaries_.duration_ns[row] = static_cast<double>(in.Long());
    summaries_.count[row] = static_cast<double>(in.Long());
    summaries_.errors[row] = static_cast<double>(in.Long());
    summaries_.total_ns[row] = static_cast<double>(in.Long());
    summaries_.bytes[row] = static_cast<double>(in.Long());
    ReadBuckets(in, row, latency_end, summaries_.latency);
    SkipBuckets(in);  // sizes
    ReadBuckets(in, row, errnos_end, summaries_.errnos);
    in.Long();  // limited
    in.Long();  // uncounted
  });
}

void ColumnReader::ReserveBegins(size_t rows) {
  summaries_.latency.begin.Reserve(rows + 1);
  summaries_.errnos.begin.Reserve(rows + 1);
}

int32_t ColumnReader::CodeOfCall(uint32_t syscall, std::string_view name) {
  if (name.data() == nullptr) return syscalls_[syscall];
  if (names_.size() >= kMaxNames) {
    names_.Clear();
    codes_.clear();
  }
  const auto number = static_cast<size_t>(names_.NumberOf(name));
  if (number >= codes_.size()) codes_.resize(number + 1, kUnknown);
  if (codes_[number] == kUnknown) codes_[number] = code_of_(name);
  return codes_[number];
}

}  // namespace ringside
