// SPDX-License-Identifier: Apache-2.0
#ifndef RINGSIDE_FAILURE_H
#define RINGSIDE_FAILURE_H

#include <string>

namespace ringside {

// A failed operation, its errno, and the messages of libbpf and the verifier.
struct Failure {
  std::string operation;
  int error;
  std::string log;
};

}  // namespace ringside

#endif
