// SPDX-License-Identifier: Apache-2.0
// Drops capabilities, for which Node has no function. Linux keeps capabilities per thread, and Node starts threads before any
// JavaScript runs: each thread drops its own.
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

// Looks a name up in the system's user database; nullopt if it is unknown. Throws Failure.
std::optional<User> FindUser(const std::string& name);

// Empties the bounding set: no thread can gain a capability by executing a program. Does nothing without CAP_SETPCAP. Throws
// Failure.
void DropBoundingSet();

// Until DropCapabilities, a thread that changes its user keeps its permitted capabilities. Throws Failure.
void KeepCapabilities();

// Reduces the capabilities of every thread to those in `kept`, and sets no_new_privs. Throws Failure.
void DropCapabilities(uint64_t kept);

}  // namespace ringside

#endif
