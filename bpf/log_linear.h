/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The buckets of a distribution: 32 to an octave, so that a bucket is at most 1/32 of its values wide. Plain C,
 * which a test compiles too: consumer/rollups/sketch.ts has the same buckets, one further on for that of 0. */
#ifndef RINGSIDE_LOG_LINEAR_H
#define RINGSIDE_LOG_LINEAR_H

/* the largest that a consumer holds as a whole number; 104 days of nanoseconds */
#define RINGSIDE_LARGEST_VALUE ((1ULL << 53) - 1)

/* the place of the highest bit; there is no instruction for it */
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

/* of a value of at least 1: 32 for each octave below, and the five bits behind its highest; less than 53 * 32 */
static inline __attribute__((always_inline)) unsigned int bucket_of(unsigned long long value)
{
	unsigned int octave;

	if (value > RINGSIDE_LARGEST_VALUE)
		value = RINGSIDE_LARGEST_VALUE;
	octave = floor_log2(value);
	return octave * 32 + (((value << 5) >> octave) & 31);
}

#endif
