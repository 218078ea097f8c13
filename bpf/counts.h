/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Calls that are counted, not told of one by one. Counters are of the CPU and move without atomics where only
 * programs of system calls move them: these run with preemption disabled, and never within each other. */
#ifndef RINGSIDE_COUNTS_H
#define RINGSIDE_COUNTS_H

static __always_inline void count_off(__u8 call)
{
	own_counters()->off[class_of(call)]++;
}

static __always_inline void count_call(const struct task_state *state)
{
	struct ringside_counters *own = own_counters();

	own->counted[class_of(state->call)]++;
	own->uncounted++;
}

static __always_inline void count_request(struct task_struct *task, const struct known_call *known)
{
	struct ringside_counters *own = own_counters();

	own->counted[class_of(known->call)]++;
	own->uncounted++;
}

#endif
