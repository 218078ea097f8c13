// SPDX-License-Identifier: Apache-2.0
#include "ring_object.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "session.h"
#include "values.h"

namespace ringside {
namespace {

// Layout of Ring#statistics(): seq before the first, last seq of the summaries, nanoseconds up to which summaries are
// complete, skipped runs of programs, their run time in nanoseconds or -1; then the words of struct ringside_counters, CPU by CPU.
constexpr size_t kStatisticsHead = 5;
constexpr size_t kCounterWords = sizeof(ringside_counters) / sizeof(uint64_t);

// State of one instance of the addon: each thread has its own.
struct AddonData {
  Napi::FunctionReference ring;
};

// Runs `Work` off the event loop, then settles a promise with `Result` or the Failure.
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

class Ring : public Napi::ObjectWrap<Ring> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "Ring",
        {InstanceMethod<&Ring::Read>("read"), InstanceMethod<&Ring::Release>("release"),
         InstanceMethod<&Ring::Summarize>("summarize"), InstanceMethod<&Ring::Limited>("limited"), InstanceMethod<&Ring::SetFilter>("setFilter"),
         InstanceMethod<&Ring::SetModes>("setModes"),
         InstanceMethod<&Ring::SetProcessEvents>("setProcessEvents"), InstanceMethod<&Ring::MarkGo>("markGo"),
         InstanceMethod<&Ring::UnmarkGo>("unmarkGo"), InstanceMethod<&Ring::Statistics>("statistics"),
         InstanceMethod<&Ring::ProgramTimeNs>("programTimeNs"), InstanceMethod<&Ring::Detach>("detach"),
         InstanceMethod<&Ring::Close>("close"), InstanceAccessor<&Ring::Ended>("ended"),
         InstanceAccessor<&Ring::Pressure>("pressure"), InstanceAccessor<&Ring::Begin>("begin"),
         InstanceAccessor<&Ring::Previous>("previous"), InstanceAccessor<&Ring::Notes>("notes"),
         InstanceAccessor<&Ring::Unsupported>("unsupported"), InstanceAccessor<&Ring::RingBytes>("ringBytes")});
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
    ThrowingErrors(Env(), [&] { Open().Release(ToAccount(info[0], info[1])); });
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

  Napi::Value Limited(const Napi::CallbackInfo&) {
    const std::vector<LimitedCalls>& limited = Open().Limited();
    auto rows = Napi::Array::New(Env(), limited.size());
    for (uint32_t i = 0; i < limited.size(); i++) {
      auto row = Napi::Object::New(Env());
      row.Set("pid", Napi::Number::New(Env(), limited[i].pid));
      row.Set("startNs", Napi::BigInt::New(Env(), limited[i].start_ns));
      row.Set("comm", Napi::String::New(Env(), limited[i].comm));
      row.Set("isCompat", Napi::Boolean::New(Env(), limited[i].is_compat));
      row.Set("nr", Napi::Number::New(Env(), limited[i].nr));
      row.Set("count", Napi::Number::New(Env(), static_cast<double>(limited[i].count)));
      rows.Set(i, row);
    }
    return rows;
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
  Napi::Value Unsupported(const Napi::CallbackInfo&) { return ToStrings(Env(), Open().Unsupported()); }

  Napi::Value RingBytes(const Napi::CallbackInfo&) {
    const auto bytes = Open().RingBytes();
    return ToTable(Env(), std::vector<double>(bytes.begin(), bytes.end()));
  }

  Napi::Value ProgramTimeNs(const Napi::CallbackInfo&) {
    const std::optional<uint64_t> time_ns = Open().ProgramTimeNs();
    return time_ns ? Napi::Number::New(Env(), static_cast<double>(*time_ns)) : Env().Undefined();
  }

  Napi::Value Pressure(const Napi::CallbackInfo&) { return Napi::Number::New(Env(), Open().Pressure()); }

  void SetFilter(const Napi::CallbackInfo& info) {
    ThrowingErrors(Env(), [&] { Open().SetFilter(ToFilter(info[0], info[1], info[2])); });
  }

  void SetModes(const Napi::CallbackInfo& info) {
    Open().SetModes(ToArray<sizeof(ringside_config::mode_of)>(info[0]));
  }

  void SetProcessEvents(const Napi::CallbackInfo& info) { Open().SetProcessEvents(info[0].As<Napi::Number>()); }

  Napi::Value MarkGo(const Napi::CallbackInfo& info) {
    bool is_whole;
    const uint64_t start_ns = info[1].As<Napi::BigInt>().Uint64Value(&is_whole);
    return Napi::Boolean::New(Env(), Open().MarkGo(info[0].As<Napi::Number>(), start_ns, info[2].As<Napi::Number>()));
  }

  void UnmarkGo(const Napi::CallbackInfo& info) {
    bool is_whole;
    const uint64_t start_ns = info[1].As<Napi::BigInt>().Uint64Value(&is_whole);
    Open().UnmarkGo(info[0].As<Napi::Number>(), start_ns, info[2].As<Napi::Number>());
  }

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
    const std::optional<uint64_t> time_ns = session.RecentProgramTimeNs();
    *cell++ = time_ns ? static_cast<double>(*time_ns) : -1;
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
    if (session != nullptr) ThrowingErrors(Env(), [&] { session->Close(); });
  }

  std::shared_ptr<Session> session_;
};

}  // namespace

void DefineRing(Napi::Env env) {
  auto* data = new AddonData();
  data->ring = Napi::Persistent(Ring::Define(env));
  env.SetInstanceData(data);
}

Napi::Value OpenRing(const Napi::CallbackInfo& info) {
  const auto from = info[0].As<Napi::Object>();
  Options options{};
  options.load.object = from.Get("object").As<Napi::String>();
  options.load.ring_bytes = {from.Get("processRingBytes").As<Napi::Number>(),
                             from.Get("securityRingBytes").As<Napi::Number>(),
                             from.Get("ringBytes").As<Napi::Number>()};
  options.load.call_of = ToArray<sizeof(ringside_config::call_of)>(from.Get("callOf"));
  options.hash = ToArray<std::tuple_size_v<ObjectHash>>(from.Get("hash"));
  options.ignore_family = from.Get("ignoreFamily").As<Napi::Boolean>();
  options.mode_of = ToArray<sizeof(ringside_config::mode_of)>(from.Get("modeOf"));
  options.process_events = from.Get("processEvents").As<Napi::Number>();
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

}  // namespace ringside
