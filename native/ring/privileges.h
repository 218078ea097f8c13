// SPDX-License-Identifier: Apache-2.0
// What Node has no call for when a process gives up what it was allowed. Linux keeps capabilities by
// thread, and Node's threads were there before its first line of JavaScript: each is made to give up its own.
#ifndef RINGSIDE_PRIVILEGES_H
#define RINGSIDE_PRIVILEGES_H

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace ringside {

struct User {
  uid_t uid;
  gid_t gid;
};

// By the system's user database; nothing when there is no such name. Throws Failure.
std::optional<User> FindUser(const std::string& name);

// No thread can gain a capability by executing a program any more. Does nothing without CAP_SETPCAP. Throws Failure.
void DropBoundingSet();

// From here until DropCapabilities, a thread that becomes another user keeps what it is permitted. Throws Failure.
void KeepCapabilities();

// Empties the other sets of every thread but for `kept`, a set of capabilities of which it keeps those that it has, and
// sets no_new_privs. Throws Failure.
void DropCapabilities(uint64_t kept);

}  // namespace ringside

#endif
