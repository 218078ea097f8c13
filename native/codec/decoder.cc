// SPDX-License-Identifier: Apache-2.0
#include "decoder.h"

#include <string>

#include "column_reader.h"

namespace ringside {
namespace {

std::vector<int32_t> ToCodes(const Napi::Int32Array& codes) {
  return {codes.Data(), codes.Data() + codes.ElementLength()};
}

class Decoder : public Napi::ObjectWrap<Decoder> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Decoder",
                       {InstanceMethod<&Decoder::Decode>("decode"), InstanceMethod<&Decoder::Clear>("clear")});
  }

  explicit Decoder(const Napi::CallbackInfo& info) : Decoder(info, info[0].As<Napi::Object>()) {}

 private:
  Decoder(const Napi::CallbackInfo& info, const Napi::Object& options)
      : Napi::ObjectWrap<Decoder>(info),
        code_of_(Napi::Persistent(options.Get("codeOf").As<Napi::Function>())),
        reader_(options.Get("rows").As<Napi::Object>(), ToCodes(options.Get("syscalls").As<Napi::Int32Array>()),
                [this](std::string_view name) { return CodeOf(name); }) {}

  int32_t CodeOf(std::string_view name) {
    return code_of_.Call({Napi::String::New(Env(), name.data(), name.size())}).As<Napi::Number>();
  }

  Napi::Value Decode(const Napi::CallbackInfo& info) {
    const auto message = info[0].As<Napi::Uint8Array>();
    const auto begin = static_cast<size_t>(info[1].As<Napi::Number>().Int64Value());
    if (begin > message.ByteLength()) throw Napi::RangeError::New(Env(), "the rows begin after the end of the message");
    try {
      return Napi::Number::New(Env(), static_cast<double>(reader_.Read(message.Data(), begin, message.ByteLength())));
    } catch (const Damage& damage) {
      throw Napi::Error::New(Env(), damage.what + (" at byte " + std::to_string(damage.offset)));
    }
  }

  void Clear(const Napi::CallbackInfo&) { reader_.Clear(); }

  const Napi::FunctionReference code_of_;
  ColumnReader reader_;
};

}  // namespace

Napi::Function DefineDecoder(Napi::Env env) { return Decoder::Define(env); }

}  // namespace ringside
