// SPDX-License-Identifier: Apache-2.0
// Conversions between JavaScript and the session: failures, accounts, filters and tables. ring-options.ts has validated all
// values from JavaScript.
#ifndef RINGSIDE_VALUES_H
#define RINGSIDE_VALUES_H

#include <napi.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "session.h"

namespace ringside {

Napi::Error ToError(Napi::Env env, const Failure& failure);

// Returns the result of `work`; throws its Failure as a JavaScript error.
template <typename Work>
auto ThrowingErrors(Napi::Env env, Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const Failure& failure) {
    throw ToError(env, failure);
  }
}

// Layout of the table: marks, batch, declared and events by class; then rows of cpu, seq.
Account ToAccount(const Napi::Value& table, const Napi::Value& run);
Napi::Value FromAccount(Napi::Env env, const Account& account);

Filter ToFilter(const Napi::Value& pids, const Napi::Value& comms, const Napi::Value& cgroups);

Napi::Float64Array ToTable(Napi::Env env, const std::vector<double>& numbers);
Napi::Array ToStrings(Napi::Env env, const std::vector<std::string>& texts);

template <size_t N>
std::array<uint8_t, N> ToArray(const Napi::Value& value) {
  std::array<uint8_t, N> array{};
  const auto bytes = value.As<Napi::Uint8Array>();
  std::memcpy(array.data(), bytes.Data(), std::min(bytes.ByteLength(), N));
  return array;
}

}  // namespace ringside

#endif
