// SPDX-License-Identifier: Apache-2.0
// What libbpf prints on this thread during the life of this object. libbpf has one print callback
// for the whole process, but a load runs on one thread from beginning to end: each thread keeps
// its own text, so loads of several instances never mix.
#ifndef RINGSIDE_LIBBPF_LOG_H
#define RINGSIDE_LIBBPF_LOG_H

#include <string>

namespace ringside {

class LibbpfLog {
 public:
  LibbpfLog();
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

  // Warnings, and with them the verifier's log of a program that was refused.
  const std::string& text() const { return text_; }

 private:
  friend void AppendToLog(const char* line);
  std::string text_;
  LibbpfLog* outer_;
};

}  // namespace ringside

#endif
