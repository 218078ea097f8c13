// SPDX-License-Identifier: Apache-2.0
// The functions that the addon exports. Its callers are the TypeScript files of this folder, producer/privileges.ts and
// producer/source/pin-folder.ts, which validate the arguments. No global state: each thread has its own instance.
//
//   open(options) -> Promise<Ring>        Ring#begin, #previous, #notes, #unsupported, #ringBytes
//   clock() -> [monotonicNs, wallNs]      Ring#read(into) -> bytes, #release(table, run), #pressure
//   contract(object) -> types of event.h  Ring#summarize() -> Promise<boolean>
//   summarize(groups, ...) -> records     Ring#setFilter(pids, comms, cgroups), #setModes(modeOf)
//                                         Ring#markGo(pid, startNs, execId) -> boolean, #unmarkGo(same)
//   findUser(name) -> {uid, gid} | null   Ring#statistics() -> Float64Array, #programTimeNs()
//   dropBoundingSet()                     Ring#detach() -> Promise, #ended, #close()
//   keepCapabilities(), dropCapabilities(kept)
//   mountBpffs(folder)
#include <napi.h>

#include <algorithm>
#include <optional>

#include "bpffs.h"
#include "clock.h"
#include "contract.h"
#include "privileges.h"
#include "ring_object.h"
#include "summaries.h"
#include "values.h"

namespace ringside {
namespace {

Napi::Value Summary(const Napi::CallbackInfo& info) {
  const auto groups = info[0].As<Napi::Uint8Array>();
  const auto number = [&](size_t index) { return static_cast<uint64_t>(info[index].As<Napi::Number>().DoubleValue()); };
  const Summaries made = Summarize(reinterpret_cast<const ringside_group*>(groups.Data()),
                                   groups.ByteLength() / sizeof(ringside_group), number(1), number(2), number(3));
  auto records = Napi::Uint8Array::New(info.Env(), made.records.size());
  std::copy(made.records.begin(), made.records.end(), records.Data());
  return records;
}

// The closest of three pairs of readings: an interrupt between two readings separates them.
Napi::Value ReadClocks(const Napi::CallbackInfo& info) {
  uint64_t best_gap = UINT64_MAX, monotonic = 0, wall = 0;
  for (int i = 0; i < 3; i++) {
    const uint64_t before = MonotonicNs();
    const uint64_t now = ClockNs(CLOCK_REALTIME);
    const uint64_t gap = MonotonicNs() - before;
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
  const std::optional<User> user = ThrowingErrors(env, [&] { return FindUser(info[0].As<Napi::String>()); });
  if (!user) return env.Null();
  auto result = Napi::Object::New(env);
  result.Set("uid", user->uid);
  result.Set("gid", user->gid);
  return result;
}

void DropCapabilitiesBut(const Napi::CallbackInfo& info) {
  bool is_whole;
  const uint64_t kept = info[0].As<Napi::BigInt>().Uint64Value(&is_whole);
  ThrowingErrors(info.Env(), [&] { DropCapabilities(kept); });
}

void MountBpffsAt(const Napi::CallbackInfo& info) {
  ThrowingErrors(info.Env(), [&] { MountBpffs(info[0].As<Napi::String>()); });
}

template <void (*Change)()>
void ChangeEveryThread(const Napi::CallbackInfo& info) {
  ThrowingErrors(info.Env(), Change);
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  DefineRing(env);
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
