// SPDX-License-Identifier: Apache-2.0
#include "libbpf_log.h"

#include <libbpf.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <mutex>

#include "failure.h"

namespace ringside {

namespace {
thread_local LibbpfLog* current = nullptr;
}

void AppendToLog(const char* line) {
  if (current != nullptr) current->text_ += line;
}

namespace {

int Print(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN || current == nullptr) return 0;
  va_list again;
  va_copy(again, arguments);
  std::string line(static_cast<size_t>(vsnprintf(nullptr, 0, format, again)) + 1, '\0');
  va_end(again);
  const int bytes = vsnprintf(line.data(), line.size(), format, arguments);
  AppendToLog(line.c_str());
  return bytes;
}

}  // namespace

LibbpfLog::LibbpfLog() : outer_(current) {
  static std::once_flag installed;
  std::call_once(installed, [] { libbpf_set_print(Print); });
  current = this;
}

LibbpfLog::~LibbpfLog() { current = outer_; }

void Fail(const std::string& operation, const LibbpfLog& log) { throw Failure{operation, errno, log.text()}; }

}  // namespace ringside
