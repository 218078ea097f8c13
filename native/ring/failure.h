// SPDX-License-Identifier: Apache-2.0
#ifndef RINGSIDE_FAILURE_H
#define RINGSIDE_FAILURE_H

#include <string>

namespace ringside {

// What failed, with which errno, and what libbpf and the verifier had to say.
struct Failure {
  std::string operation;
  int error;
  std::string log;
};

}  // namespace ringside

#endif
