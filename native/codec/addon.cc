// SPDX-License-Identifier: Apache-2.0
// The addon's JavaScript interface, and its encoder. Nothing is global: threads and instances share no state.
// producer/encode/native-encoder.ts is the encoder's only caller and validates the options.
//
//   new Encoder(options)                        Encoder#begin(length) -> microseconds, or -1 - offset of the damage
//   schema: fingerprint of the rows' schema     Encoder#add() -> true when the batch is full
//   eventVersion: of the records                Encoder#encode(before, clockUs, after) -> Buffer
//   stateNumbers: length of options.state
//   Decoder: see decoder.h; consumer/loop/column-decoder.ts is its only caller
#include <napi.h>

#include "batch.h"
#include "decoder.h"

namespace ringside {
namespace {

// Counters that JavaScript reads between calls, in a Float64Array; native-encoder.ts has the same layout.
struct State {
  double count;
  double by_class[RINGSIDE_CLASS_COUNT];
  double events[RINGSIDE_CLASS_COUNT];
  double summaries;
  double taken[RINGSIDE_LANE_COUNT];
  double newest_us;
  double highest[RINGSIDE_CPU_MAX + 1];
};

std::optional<std::string> ToOptionalString(const Napi::Value& value) {
  if (!value.IsString()) return std::nullopt;
  return value.As<Napi::String>().Utf8Value();
}

ProcessFacts ToFacts(const Napi::Object& facts) {
  return {facts.Get("startTicks").As<Napi::Number>(), ToOptionalString(facts.Get("exe")),
          ToOptionalString(facts.Get("containerId"))};
}

PresentProcesses ToPresent(const Napi::Array& pairs) {
  PresentProcesses present;
  for (uint32_t i = 0; i < pairs.Length(); i++) {
    const auto pair = pairs.Get(i).As<Napi::Array>();
    present.emplace(pair.Get(0u).As<Napi::Number>().Int32Value(), ToFacts(pair.Get(1u).As<Napi::Object>()));
  }
  return present;
}

CallNames ToCallNames(const Napi::Array& array) {
  CallNames names;
  for (uint32_t i = 0; i < array.Length(); i++) names.push_back(ToOptionalString(array.Get(i)));
  return names;
}

// Empty unless the value is a function.
Napi::FunctionReference ToFunction(const Napi::Value& value) {
  return value.IsFunction() ? Napi::Persistent(value.As<Napi::Function>()) : Napi::FunctionReference();
}

std::string_view ToView(const Napi::Value& value) {
  const auto bytes = value.As<Napi::Uint8Array>();
  return {reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()};
}

class Encoder : public Napi::ObjectWrap<Encoder> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Encoder",
                       {InstanceMethod<&Encoder::Begin>("begin"), InstanceMethod<&Encoder::Add>("add"),
                        InstanceMethod<&Encoder::Encode>("encode")});
  }

  explicit Encoder(const Napi::CallbackInfo& info) : Encoder(info, info[0].As<Napi::Object>()) {}

 private:
  Encoder(const Napi::CallbackInfo& info, const Napi::Object& options)
      : Napi::ObjectWrap<Encoder>(info),
        buffer_(Napi::Persistent(options.Get("buffer").As<Napi::Uint8Array>())),
        state_array_(Napi::Persistent(options.Get("state").As<Napi::Float64Array>())),
        read_proc_(Napi::Persistent(options.Get("readProc").As<Napi::Function>())),
        container_id_in_(Napi::Persistent(options.Get("containerIdIn").As<Napi::Function>())),
        on_program_start_(ToFunction(options.Get("onProgramStart"))),
        resolve_stack_(ToFunction(options.Get("resolveStack"))),
        max_count_(options.Get("maxCount").As<Napi::Number>().Int64Value()),
        max_bytes_(options.Get("maxBytes").As<Napi::Number>().Int64Value()),
        state_(*reinterpret_cast<State*>(state_array_.Value().Data())),
        batch_(ProcessTable(ToPresent(options.Get("present").As<Napi::Array>()),
                            [this](int32_t pid) { return ReadProcess(pid); },
                            [this](std::string_view cgroup) { return ContainerIdIn(cgroup); }, ProgramStartCallback()),
               StackTable(StackResolver()), ToCallNames(options.Get("names").As<Napi::Array>())) {}

  std::optional<ProcessFacts> ReadProcess(int32_t pid) {
    const Napi::Value facts = read_proc_.Call({Napi::Number::New(Env(), pid)});
    if (!facts.IsObject()) return std::nullopt;
    return ToFacts(facts.As<Napi::Object>());
  }

  std::optional<std::string> ContainerIdIn(std::string_view cgroup) {
    return ToOptionalString(container_id_in_.Call({Napi::String::New(Env(), cgroup.data(), cgroup.size())}));
  }

  Napi::Object FromProgram(const ProgramKey& program) {
    auto object = Napi::Object::New(Env());
    object.Set("pid", program.pid);
    object.Set("startNs", Napi::BigInt::New(Env(), program.start_ns));
    object.Set("execId", program.exec_id);
    return object;
  }

  // Null when JavaScript passes no function; the same below.
  OnProgramStart ProgramStartCallback() {
    if (on_program_start_.IsEmpty()) return nullptr;
    return [this](const ProgramKey& program) { on_program_start_.Call({FromProgram(program)}); };
  }

  ResolveStack StackResolver() {
    if (resolve_stack_.IsEmpty()) return nullptr;
    return [this](const ProgramKey& program, StackView stack) -> std::optional<Stack> {
      auto addresses = Napi::Array::New(Env(), stack.count);
      for (uint32_t i = 0; i < stack.count; i++) addresses.Set(i, static_cast<double>(stack.begin[i]));
      const Napi::Value resolved = resolve_stack_.Call({FromProgram(program), addresses});
      if (!resolved.IsObject()) return std::nullopt;
      const auto row = resolved.As<Napi::Object>();
      return Stack{ToOptionalString(row.Get("go_function")), ToOptionalString(row.Get("go_file")),
                   row.Get("go_line").As<Napi::Number>()};
    };
  }

  Napi::Value Begin(const Napi::CallbackInfo& info) {
    const Napi::Uint8Array buffer = buffer_.Value();
    const auto length = static_cast<size_t>(info[0].As<Napi::Number>().Int64Value());
    if (length > buffer.ByteLength()) throw Napi::RangeError::New(Env(), "the read is longer than the buffer");
    return Napi::Number::New(Env(), static_cast<double>(walk_.Begin(buffer.Data(), length)));
  }

  Napi::Value Add(const Napi::CallbackInfo&) {
    while (batch_.count() < max_count_ && batch_.bytes() < max_bytes_) {
      const ringside_event* record = walk_.Next();
      if (record == nullptr) return Napi::Boolean::New(Env(), false);
      if (IsSummary(*record)) {
        batch_.AddSummary(*record);
      } else {
        batch_.AddEvent(*record);
      }
      UpdateProgress(*record);
    }
    return Napi::Boolean::New(Env(), true);
  }

  void UpdateProgress(const ringside_event& record) {
    const auto seq = static_cast<double>(ClampUnsigned(record.seq));
    state_.count++;
    state_.highest[record.cpu] = std::max(state_.highest[record.cpu], seq);
    state_.taken[LaneOf(record)] += record.advance;
    if (IsSummary(record)) {
      state_.summaries++;
      return;
    }
    state_.by_class[record.event_class]++;
    state_.events[record.event_class]++;
    state_.newest_us = std::max(state_.newest_us, static_cast<double>(Microseconds(record.time_ns)));
  }

  Napi::Value Encode(const Napi::CallbackInfo& info) {
    const int64_t clock_us = info[1].As<Napi::Number>().Int64Value();
    const Output& encoded = batch_.Encode(ToView(info[0]), clock_us, ToView(info[2]));
    state_.count = 0;
    for (double& count : state_.by_class) count = 0;
    return Napi::Buffer<uint8_t>::Copy(Env(), encoded.data(), encoded.size());
  }

  const Napi::Reference<Napi::Uint8Array> buffer_;
  const Napi::Reference<Napi::Float64Array> state_array_;
  const Napi::FunctionReference read_proc_;
  Napi::FunctionReference container_id_in_;
  const Napi::FunctionReference on_program_start_;
  const Napi::FunctionReference resolve_stack_;
  const size_t max_count_;
  const size_t max_bytes_;
  State& state_;
  RecordWalk walk_;
  Batch batch_;
};

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Encoder", Encoder::Define(env));
  exports.Set("Decoder", DefineDecoder(env));
  exports.Set("schema", kSchemaFingerprint);
  exports.Set("eventVersion", static_cast<double>(RINGSIDE_EVENT_VERSION));
  exports.Set("stateNumbers", static_cast<double>(sizeof(State) / sizeof(double)));
  return exports;
}

NODE_API_MODULE(ringside_codec, Init)

}  // namespace
}  // namespace ringside
