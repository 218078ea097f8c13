// SPDX-License-Identifier: Apache-2.0
// The ring as Node sees it. ring.ts is its only caller and has validated what comes in; nothing here
// is global, so that every thread and every instance stands for itself.
//
//   open(options) -> Promise<Ring>        Ring#begin, #previous, #notes, #leftOut, #ringBytes
//   clock() -> [monotonicNs, wallNs]      Ring#read(into) -> bytes, #release(table, run), #pressure
//   contract(object) -> types of event.h  Ring#summarize() -> Promise<boolean>
//   summarize(groups, ...) -> records     Ring#setFilter(pids, comms, cgroups), #setModes(modeOf)
//                                         Ring#markGo(pid, startNs) -> boolean, #unmarkGo(pid)
//   findUser(name) -> {uid, gid} | null   Ring#statistics() -> Float64Array, #programTimeNs()
//   dropBoundingSet()                     Ring#detach() -> Promise, #ended, #close()
//   keepCapabilities(), dropCapabilities(kept)
//   mountBpffs(folder)
#include <libbpf.h>
#include <napi.h>
#include <time.h>

#include <algorithm>
#include <optional>

#include "bpffs.h"
#include "contract.h"
#include "privileges.h"
#include "session.h"
#include "values.h"

namespace ringside {
namespace {

// Ring#statistics(): seq before the first, last seq of the summaries, nanoseconds up to which all calls are counted,
// skipped runs of programs; then the words of struct ringside_counters, CPU by CPU.
constexpr size_t kStatisticsHead = 4;
constexpr size_t kCounterWords = sizeof(ringside_counters) / sizeof(uint64_t);

struct AddonData {
  Napi::FunctionReference ring;
};

// Runs `Work` off the event loop and settles a promise with what `Result` makes of it.
class Worker : public Napi::AsyncWorker {
 public:
  explicit Worker(Napi::Env env) : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)) {}
  Napi::Promise Promise() const { return deferred_.Promise(); }

 protected:
  virtual void Work() = 0;
  virtual Napi::Value Result() = 0;

 private:
  void Execute() override {
    try {
      Work();
    } catch (const Failure& failure) {
      failure_ = failure;
      SetError(failure.operation);
    }
  }
  void OnOK() override { deferred_.Resolve(Result()); }
  void OnError(const Napi::Error& error) override {
    deferred_.Reject(failure_ ? ToError(Env(), *failure_).Value() : error.Value());
  }

  Napi::Promise::Deferred deferred_;
  std::optional<Failure> failure_;
};

class OpenWorker : public Worker {
 public:
  OpenWorker(Napi::Env env, Options options) : Worker(env), options_(std::move(options)) {}

 private:
  void Work() override { session_ = std::make_shared<Session>(options_); }
  Napi::Value Result() override {
    auto external = Napi::External<std::shared_ptr<Session>>::New(Env(), &session_);
    return Env().GetInstanceData<AddonData>()->ring.New({external});
  }

  Options options_;
  std::shared_ptr<Session> session_;
};

class DetachWorker : public Worker {
 public:
  DetachWorker(Napi::Env env, std::shared_ptr<Session> session) : Worker(env), session_(std::move(session)) {}

 private:
  void Work() override { session_->Detach(); }
  Napi::Value Result() override {
    session_->FreezeLast();
    return Env().Undefined();
  }

  std::shared_ptr<Session> session_;
};

class SummaryWorker : public Worker {
 public:
  SummaryWorker(Napi::Env env, std::shared_ptr<Session> session) : Worker(env), session_(std::move(session)) {}

 private:
  void Work() override {
    WaitForPrograms();
    summaries_ = session_->CollectSummaries();
  }
  Napi::Value Result() override {
    session_->InstallSummaries(std::move(summaries_));
    return Napi::Boolean::New(Env(), true);
  }

  std::shared_ptr<Session> session_;
  Summaries summaries_;
};

Napi::Value Summary(const Napi::CallbackInfo& info) {
  const auto groups = info[0].As<Napi::Uint8Array>();
  const auto number = [&](size_t index) { return static_cast<uint64_t>(info[index].As<Napi::Number>().DoubleValue()); };
  const Summaries made = Summarize(reinterpret_cast<const ringside_group*>(groups.Data()),
                                   groups.ByteLength() / sizeof(ringside_group), number(1), number(2), number(3));
  auto records = Napi::Uint8Array::New(info.Env(), made.records.size());
  std::copy(made.records.begin(), made.records.end(), records.Data());
  return records;
}

class Ring : public Napi::ObjectWrap<Ring> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "Ring",
        {InstanceMethod<&Ring::Read>("read"), InstanceMethod<&Ring::Release>("release"),
         InstanceMethod<&Ring::Summarize>("summarize"), InstanceMethod<&Ring::SetFilter>("setFilter"),
         InstanceMethod<&Ring::SetModes>("setModes"), InstanceMethod<&Ring::MarkGo>("markGo"),
         InstanceMethod<&Ring::UnmarkGo>("unmarkGo"), InstanceMethod<&Ring::Statistics>("statistics"),
         InstanceMethod<&Ring::ProgramTimeNs>("programTimeNs"), InstanceMethod<&Ring::Detach>("detach"),
         InstanceMethod<&Ring::Close>("close"), InstanceAccessor<&Ring::Ended>("ended"),
         InstanceAccessor<&Ring::Pressure>("pressure"), InstanceAccessor<&Ring::Begin>("begin"),
         InstanceAccessor<&Ring::Previous>("previous"), InstanceAccessor<&Ring::Notes>("notes"),
         InstanceAccessor<&Ring::LeftOut>("leftOut"), InstanceAccessor<&Ring::RingBytes>("ringBytes")});
  }

  explicit Ring(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Ring>(info), session_(*info[0].As<Napi::External<std::shared_ptr<Session>>>().Data()) {}

 private:
  Session& Open() const {
    if (session_ == nullptr) throw Napi::Error::New(Env(), "the ring is closed");
    return *session_;
  }

  Napi::Value Read(const Napi::CallbackInfo& info) {
    auto into = info[0].As<Napi::Uint8Array>();
    return Napi::Number::New(Env(), static_cast<double>(Open().Read(into.Data(), into.ByteLength())));
  }

  void Release(const Napi::CallbackInfo& info) {
    try {
      Open().Release(ToAccount(info[0], info[1]));
    } catch (const Failure& failure) {
      throw ToError(Env(), failure);
    }
  }

  Napi::Value Summarize(const Napi::CallbackInfo&) {
    if (!Open().BeginSummaries()) {
      auto deferred = Napi::Promise::Deferred::New(Env());
      deferred.Resolve(Napi::Boolean::New(Env(), false));
      return deferred.Promise();
    }
    auto* worker = new SummaryWorker(Env(), session_);
    worker->Queue();
    return worker->Promise();
  }

  Napi::Value Begin(const Napi::CallbackInfo&) {
    const auto& begin = Open().Begin();
    return ToTable(Env(), std::vector<double>(begin.begin(), begin.end()));
  }

  Napi::Value Previous(const Napi::CallbackInfo&) {
    const Account* account = Open().Previous();
    return account == nullptr ? Env().Null() : FromAccount(Env(), *account);
  }

  Napi::Value Notes(const Napi::CallbackInfo&) { return ToStrings(Env(), Open().Notes()); }
  Napi::Value LeftOut(const Napi::CallbackInfo&) { return ToStrings(Env(), Open().LeftOut()); }

  Napi::Value RingBytes(const Napi::CallbackInfo&) {
    const auto bytes = Open().RingBytes();
    return ToTable(Env(), std::vector<double>(bytes.begin(), bytes.end()));
  }

  Napi::Value ProgramTimeNs(const Napi::CallbackInfo&) {
    try {
      const std::optional<uint64_t> time_ns = Open().ProgramTimeNs();
      return time_ns ? Napi::Number::New(Env(), static_cast<double>(*time_ns)) : Env().Undefined();
    } catch (const Failure& failure) {
      throw ToError(Env(), failure);
    }
  }

  Napi::Value Pressure(const Napi::CallbackInfo&) { return Napi::Number::New(Env(), Open().Pressure()); }

  void SetFilter(const Napi::CallbackInfo& info) {
    try {
      Open().SetFilter(ToFilter(info[0], info[1], info[2]));
    } catch (const Failure& failure) {
      throw ToError(Env(), failure);
    }
  }

  void SetModes(const Napi::CallbackInfo& info) {
    Open().SetModes(ToArray<sizeof(ringside_config::mode_of)>(info[0]));
  }

  Napi::Value MarkGo(const Napi::CallbackInfo& info) {
    bool is_whole;
    const uint64_t start_ns = info[1].As<Napi::BigInt>().Uint64Value(&is_whole);
    return Napi::Boolean::New(Env(), Open().MarkGo(info[0].As<Napi::Number>(), start_ns));
  }

  void UnmarkGo(const Napi::CallbackInfo& info) { Open().UnmarkGo(info[0].As<Napi::Number>()); }

  Napi::Value Statistics(const Napi::CallbackInfo&) {
    Session& session = Open();
    const size_t words = session.Cpus() * kCounterWords;
    auto table = Napi::Float64Array::New(Env(), kStatisticsHead + words);
    double* cell = table.Data();
    const auto add = [&cell](uint64_t count) { *cell++ = static_cast<double>(count); };
    add(session.SeqBefore());
    add(session.LastSummarySeq());
    add(session.CountedUntilNs());
    add(session.Skipped());
    const auto* counters = reinterpret_cast<const uint64_t*>(session.Counters());
    std::for_each(counters, counters + words, add);
    return table;
  }

  Napi::Value Detach(const Napi::CallbackInfo&) {
    Open();
    auto* worker = new DetachWorker(Env(), session_);
    worker->Queue();
    return worker->Promise();
  }

  Napi::Value Ended(const Napi::CallbackInfo&) {
    return Napi::Boolean::New(Env(), session_ == nullptr || session_->Ended());
  }

  void Close(const Napi::CallbackInfo&) {
    const std::shared_ptr<Session> session = std::move(session_);
    try {
      if (session != nullptr) session->Close();
    } catch (const Failure& failure) {
      throw ToError(Env(), failure);
    }
  }

  std::shared_ptr<Session> session_;
};

Napi::Value OpenRing(const Napi::CallbackInfo& info) {
  const auto from = info[0].As<Napi::Object>();
  Options options{};
  options.load.object = from.Get("object").As<Napi::String>();
  options.load.security_ring_bytes = from.Get("securityRingBytes").As<Napi::Number>();
  options.load.ring_bytes = from.Get("ringBytes").As<Napi::Number>();
  options.load.call_of = ToArray<sizeof(ringside_config::call_of)>(from.Get("callOf"));
  options.hash = ToArray<std::tuple_size_v<ObjectHash>>(from.Get("hash"));
  options.ignore_family = from.Get("ignoreFamily").As<Napi::Boolean>();
  options.mode_of = ToArray<sizeof(ringside_config::mode_of)>(from.Get("modeOf"));
  options.filter = ToFilter(from.Get("pids"), from.Get("comms"), from.Get("cgroups"));
  options.pin_folder = from.Get("pinDir").As<Napi::String>();
  if (from.Get("pinOwner").IsObject()) {
    const auto owner = from.Get("pinOwner").As<Napi::Object>();
    options.owner = {owner.Get("uid").As<Napi::Number>(), owner.Get("gid").As<Napi::Number>()};
  }
  options.measure_cost = from.Get("measureCost").As<Napi::Boolean>();
  options.go_functions = from.Get("goFunctions").As<Napi::Boolean>();
  auto* worker = new OpenWorker(info.Env(), std::move(options));
  worker->Queue();
  return worker->Promise();
}

int64_t Nanoseconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec;
}

// The tightest of three pairs: an interrupt between two readings shifts the clocks against each other.
Napi::Value ReadClocks(const Napi::CallbackInfo& info) {
  int64_t best_gap = INT64_MAX, monotonic = 0, wall = 0;
  for (int i = 0; i < 3; i++) {
    const int64_t before = Nanoseconds(CLOCK_MONOTONIC);
    const int64_t now = Nanoseconds(CLOCK_REALTIME);
    const int64_t gap = Nanoseconds(CLOCK_MONOTONIC) - before;
    if (gap >= best_gap) continue;
    best_gap = gap;
    monotonic = before + gap / 2;
    wall = now;
  }
  auto pair = Napi::Array::New(info.Env(), 2);
  pair.Set(0u, Napi::BigInt::New(info.Env(), monotonic));
  pair.Set(1u, Napi::BigInt::New(info.Env(), wall));
  return pair;
}

Napi::Value ReadContractOf(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    const Contract contract = ReadContract(info[0].As<Napi::String>());
    auto structs = Napi::Object::New(env), enums = Napi::Object::New(env), result = Napi::Object::New(env);
    for (const Contract::Struct& each : contract.structs) {
      auto fields = Napi::Object::New(env), layout = Napi::Object::New(env);
      for (const Contract::Field& field : each.fields) fields.Set(field.name, field.offset);
      layout.Set("bytes", each.bytes);
      layout.Set("fields", fields);
      structs.Set(each.name, layout);
    }
    for (const Contract::Enum& each : contract.enums) {
      auto constants = Napi::Object::New(env);
      for (const Contract::Constant& constant : each.constants) constants.Set(constant.name, constant.value);
      enums.Set(each.name, constants);
    }
    result.Set("structs", structs);
    result.Set("enums", enums);
    result.Set("classOfCall", Napi::Buffer<uint8_t>::Copy(env, contract.class_of_call.data(),
                                                          contract.class_of_call.size()));
    return result;
  } catch (const Failure& failure) {
    throw ToError(env, failure);
  }
}

Napi::Value FindUserByName(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    const std::optional<User> user = FindUser(info[0].As<Napi::String>());
    if (!user) return env.Null();
    auto result = Napi::Object::New(env);
    result.Set("uid", user->uid);
    result.Set("gid", user->gid);
    return result;
  } catch (const Failure& failure) {
    throw ToError(env, failure);
  }
}

void DropCapabilitiesBut(const Napi::CallbackInfo& info) {
  try {
    bool is_whole;
    DropCapabilities(info[0].As<Napi::BigInt>().Uint64Value(&is_whole));
  } catch (const Failure& failure) {
    throw ToError(info.Env(), failure);
  }
}

void MountBpffsAt(const Napi::CallbackInfo& info) {
  try {
    MountBpffs(info[0].As<Napi::String>());
  } catch (const Failure& failure) {
    throw ToError(info.Env(), failure);
  }
}

template <void (*Change)()>
void ChangeEveryThread(const Napi::CallbackInfo& info) {
  try {
    Change();
  } catch (const Failure& failure) {
    throw ToError(info.Env(), failure);
  }
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* data = new AddonData();
  data->ring = Napi::Persistent(Ring::Define(env));
  env.SetInstanceData(data);
  exports.Set("open", Napi::Function::New<OpenRing>(env, "open"));
  exports.Set("clock", Napi::Function::New<ReadClocks>(env, "clock"));
  exports.Set("summarize", Napi::Function::New<Summary>(env, "summarize"));
  exports.Set("contract", Napi::Function::New<ReadContractOf>(env, "contract"));
  exports.Set("findUser", Napi::Function::New<FindUserByName>(env, "findUser"));
  exports.Set("dropBoundingSet", Napi::Function::New<ChangeEveryThread<DropBoundingSet>>(env, "dropBoundingSet"));
  exports.Set("keepCapabilities", Napi::Function::New<ChangeEveryThread<KeepCapabilities>>(env, "keepCapabilities"));
  exports.Set("dropCapabilities", Napi::Function::New<DropCapabilitiesBut>(env, "dropCapabilities"));
  exports.Set("mountBpffs", Napi::Function::New<MountBpffsAt>(env, "mountBpffs"));
  return exports;
}

NODE_API_MODULE(ringside_ring, Init)

}  // namespace
}  // namespace ringside
