// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

namespace ringside {

// The class Decoder:
//   new Decoder(options)                        Decoder#decode(message, begin) -> offset of the rows' end
//                                               Decoder#clear()
Napi::Function DefineDecoder(Napi::Env env);

}  // namespace ringside
