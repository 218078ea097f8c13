// SPDX-License-Identifier: Apache-2.0
#include "values.h"

#include <libbpf.h>

#include <iterator>

namespace ringside {

Napi::Error ToError(Napi::Env env, const Failure& failure) {
  char reason[256];
  libbpf_strerror(failure.error, reason, sizeof(reason));
  Napi::Error error = Napi::Error::New(env, failure.operation + ": " + reason);
  error.Set("operation", failure.operation);
  error.Set("errno", Napi::Number::New(env, failure.error));
  error.Set("log", failure.log);
  return error;
}

Account ToAccount(const Napi::Value& table, const Napi::Value& run) {
  Account account{};
  const auto numbers = table.As<Napi::Float64Array>();
  const double* from = numbers.Data();
  const auto next = [&from] { return static_cast<uint64_t>(*from++); };
  for (uint64_t& mark : account.marks) mark = next();
  account.batch = next();
  for (uint64_t& count : account.declared) count = next();
  for (uint64_t& count : account.events) count = next();
  while (from < numbers.Data() + numbers.ElementLength()) {
    const uint64_t cpu = next();
    account.closed[std::min<uint64_t>(cpu, RINGSIDE_CPU_MAX)] = next();
  }
  const std::string id = run.As<Napi::String>();
  std::memcpy(account.run, id.data(), std::min(id.size(), sizeof(account.run) - 1));
  return account;
}

Napi::Float64Array ToTable(Napi::Env env, const std::vector<double>& numbers) {
  auto table = Napi::Float64Array::New(env, numbers.size());
  std::copy(numbers.begin(), numbers.end(), table.Data());
  return table;
}

Napi::Value FromAccount(Napi::Env env, const Account& account) {
  std::vector<double> numbers;
  numbers.insert(numbers.end(), std::begin(account.marks), std::end(account.marks));
  numbers.push_back(static_cast<double>(account.batch));
  numbers.insert(numbers.end(), std::begin(account.declared), std::end(account.declared));
  numbers.insert(numbers.end(), std::begin(account.events), std::end(account.events));
  for (size_t cpu = 0; cpu <= RINGSIDE_CPU_MAX; cpu++) {
    if (account.closed[cpu] == 0) continue;
    numbers.push_back(static_cast<double>(cpu));
    numbers.push_back(static_cast<double>(account.closed[cpu]));
  }
  auto result = Napi::Object::New(env);
  result.Set("table", ToTable(env, numbers));
  result.Set("run", Napi::String::New(env, account.run));
  return result;
}

Napi::Array ToStrings(Napi::Env env, const std::vector<std::string>& texts) {
  auto array = Napi::Array::New(env, texts.size());
  for (uint32_t i = 0; i < texts.size(); i++) array.Set(i, texts[i]);
  return array;
}

Filter ToFilter(const Napi::Value& pids, const Napi::Value& comms, const Napi::Value& cgroups) {
  Filter filter;
  const auto pid_array = pids.As<Napi::Uint32Array>();
  filter.pids.insert(pid_array.Data(), pid_array.Data() + pid_array.ElementLength());
  const auto comm_array = comms.As<Napi::Array>();
  for (uint32_t i = 0; i < comm_array.Length(); i++) {
    const std::string name = comm_array.Get(i).As<Napi::String>();
    Comm comm{};
    std::memcpy(comm.data(), name.data(), std::min(name.size(), comm.size() - 1));
    filter.comms.insert(comm);
  }
  const auto cgroup_array = cgroups.As<Napi::BigUint64Array>();
  filter.cgroups.insert(cgroup_array.Data(), cgroup_array.Data() + cgroup_array.ElementLength());
  return filter;
}

}  // namespace ringside
