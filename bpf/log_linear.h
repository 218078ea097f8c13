/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Buckets of a distribution: 32 per octave, so that a bucket is at most 1/32 of its values wide. Plain C, since
 * a test compiles it to compare it with wire/log-linear.ts, which has the same buckets. */
#ifndef RINGSIDE_LOG_LINEAR_H
#define RINGSIDE_LOG_LINEAR_H

/* the largest integer that a double represents exactly; 104 days in nanoseconds */
#define RINGSIDE_LARGEST_VALUE ((1ULL << 53) - 1)

/* the position of the highest bit; BPF has no instruction for it */
static inline __attribute__((always_inline)) unsigned int floor_log2(unsigned long long value)
{
	unsigned int log = 0;

	for (unsigned int step = 32; step > 0; step >>= 1) {
		if (value >> step) {
			value >>= step;
			log += step;
		}
	}
	return log;
}

/* value is at least 1; the result is 32 per octave below it plus the five bits below its highest, less than 53 * 32 */
static inline __attribute__((always_inline)) unsigned int bucket_of(unsigned long long value)
{
	unsigned int octave;

	if (value > RINGSIDE_LARGEST_VALUE)
		value = RINGSIDE_LARGEST_VALUE;
	octave = floor_log2(value);
	return octave * 32 + (((value << 5) >> octave) & 31);
}

#endif
