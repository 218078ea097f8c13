// SPDX-License-Identifier: Apache-2.0
// The JavaScript class Ring: a Session, and promises for its work off the event loop.
#ifndef RINGSIDE_RING_OBJECT_H
#define RINGSIDE_RING_OBJECT_H

#include <napi.h>

namespace ringside {

// Defines the class for one instance of the addon. Before OpenRing.
void DefineRing(Napi::Env env);

// open(options) -> Promise<Ring>
Napi::Value OpenRing(const Napi::CallbackInfo& info);

}  // namespace ringside

#endif
