// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Observes: system calls and the life of processes and connects go out as records of event.h, through
 * one of two rings. Needs Linux 5.15 with BTF, the oldest that they were loaded under (5.10 has no task storage for
 * tracing); all programs are tp_btf, which no kernel configuration lacks. */
#include "kernel_types.h"

#include <bpf_helpers.h>

#include <bpf_core_read.h>
#include <bpf_endian.h>
#include <bpf_tracing.h>

#include "event.h"

#include "arch.h"
#include "maps.h"

#include "log_linear.h"

#include "calls.h"
#include "filter.h"
#include "names.h"
#include "stack.h"
#include "record.h"
#include "counts.h"
#include "socket.h"

#include "connects.h"
#include "syscalls.h"

#include "process.h"
#include "uring.h"

/* the helpers that read memory and task storage are for GPL-compatible programs only */
char LICENSE[] SEC("license") = "Dual BSD/GPL";
