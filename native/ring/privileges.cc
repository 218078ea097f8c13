// SPDX-License-Identifier: Apache-2.0
#include "privileges.h"

#include <dirent.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <set>
#include <vector>

#include "failure.h"

namespace ringside {

namespace {

// The signal of glibc's setuid(2), the only one that no thread can block: Node's SignalInspector thread blocks all others.
constexpr int kSetXidSignal = 33;

// A thread answers within microseconds, even one that sleeps in the kernel; a thread of a stopped process does not.
constexpr int kAnswerMs = 5000;

// The kernel's struct sigaction, the same on x86-64 and arm64; libc's sigaction(2) rejects kSetXidSignal.
struct KernelSigaction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  uint64_t mask;
};

void (*on_thread)();
std::atomic<int> answers;
std::atomic<uint64_t> kept_capabilities;

void Answer(int) {
  const int saved = errno;
  on_thread();
  errno = saved;
  answers++;
}

void SetAction(const KernelSigaction* action, KernelSigaction* before) {
  if (syscall(SYS_rt_sigaction, kSetXidSignal, action, before, sizeof(action->mask)) != 0) {
    throw Failure{"signal every thread", errno, ""};
  }
}

std::vector<pid_t> Threads() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc/self/task"), closedir);
  if (directory == nullptr) throw Failure{"open /proc/self/task", errno, ""};
  std::vector<pid_t> threads;
  while (const dirent* entry = readdir(directory.get())) {
    if (entry->d_name[0] != '.') threads.push_back(atoi(entry->d_name));
  }
  return threads;
}

bool IsAlive(pid_t thread) { return syscall(SYS_tgkill, getpid(), thread, 0) == 0; }

void AskThread(pid_t thread) {
  const int expected = answers + 1;
  if (syscall(SYS_tgkill, getpid(), thread, kSetXidSignal) != 0) {
    if (errno == ESRCH) return;
    throw Failure{"signal a thread", errno, ""};
  }
  const timespec pause{0, 1000000};
  for (int waited = 0; answers < expected; waited++) {
    if (!IsAlive(thread)) return;
    if (waited == kAnswerMs) throw Failure{"wait for a thread", ETIMEDOUT, ""};
    nanosleep(&pause, nullptr);
  }
}

// Runs `function`, which may only make system calls, on every thread. A new thread inherits the capabilities that its creator
// had at that moment: repeats until there are no new threads.
void OnEveryThread(void (*function)()) {
  on_thread = function;
  KernelSigaction before;
  SetAction(nullptr, &before);
  if (before.handler == nullptr) throw Failure{"signal every thread", ENOSYS, ""};
  KernelSigaction action = before;  // its flags and restorer fit any handler
  action.handler = Answer;
  SetAction(&action, nullptr);
  try {
    std::set<pid_t> asked;
    for (bool complete = false; !complete;) {
      complete = true;
      for (const pid_t thread : Threads()) {
        if (!asked.insert(thread).second) continue;
        AskThread(thread);
        complete = false;
      }
    }
  } catch (...) {
    SetAction(&before, nullptr);
    throw;
  }
  SetAction(&before, nullptr);
}

}  // namespace

std::optional<User> FindUser(const std::string& name) {
  std::vector<char> buffer(1024);
  passwd entry;
  passwd* found = nullptr;
  int error;
  while ((error = getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found)) == ERANGE) {
    buffer.resize(2 * buffer.size());
  }
  if (found != nullptr) return User{entry.pw_uid, entry.pw_gid};
  // getpwnam(3): some databases return these errors for an unknown name.
  if (error == 0 || error == ENOENT || error == ESRCH || error == EPERM) return std::nullopt;
  throw Failure{"look up user " + name, error, ""};
}

void DropBoundingSet() {
  OnEveryThread([] {
    // EINVAL beyond the last capability of this kernel, EPERM without CAP_SETPCAP.
    for (unsigned long capability = 0; syscall(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0) == 0;) capability++;
  });
}

void KeepCapabilities() {
  OnEveryThread([] { syscall(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0); });
}

void DropCapabilities(uint64_t kept) {
  kept_capabilities = kept;
  OnEveryThread([] {
    syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall(SYS_prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0);
    syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3]{};
    syscall(SYS_capget, &header, sets);
    for (int word = 0; word < _LINUX_CAPABILITY_U32S_3; word++) {
      const auto left = sets[word].permitted & static_cast<uint32_t>(kept_capabilities >> (32 * word));
      sets[word] = {left, left, 0};
    }
    syscall(SYS_capset, &header, sets);
  });
}

}  // namespace ringside
