// SPDX-License-Identifier: Apache-2.0
// Collects the text that libbpf prints on this thread while the object lives. libbpf has one print callback per process,
// but a load stays on one thread: with a text per thread, concurrent loads do not mix.
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

  // Warnings, which include the verifier's log of a refused program.
  const std::string& text() const { return text_; }

 private:
  friend void AppendToLog(const char* line);
  std::string text_;
  LibbpfLog* outer_;
};

// Throws Failure with errno, which libbpf also sets where it returns NULL.
[[noreturn]] void Fail(const std::string& operation, const LibbpfLog& log);

}  // namespace ringside

#endif
