// Buckets of a log-linear histogram, as in Rollup.latency and Summary.latency: 32 to an octave, so that the middle of a
// bucket is within 1/64 (1.6%) of every value in it. bpf/log_linear.h has the same arithmetic.

/** Values stay below 2^53: 53 octaves. */
export const lastIndex = 53 * 32 - 1

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)
const highWord = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0

// Exponent and first five mantissa bits of a double are the octave and the 32nd of it.
const bias = 1023 * 32

/** The bucket of a value; -1 for a value below 1, the last bucket for one beyond 2^53. */
export const indexOf = (value: number): number => {
  if (value < 1) return -1
  double[0] = value
  return Math.min(((words[highWord] as number) >>> 15) - bias, lastIndex)
}

/** The lower edge of a bucket. */
const edgeOf = (index: number): number => {
  words[highWord] = (index + bias) << 15
  words[1 - highWord] = 0
  return double[0] as number
}

/** The lowest integer in a bucket. */
export const lowestOf = (index: number): number => (index < 0 ? 0 : Math.ceil(edgeOf(index)))

/** The highest integer in a bucket. */
export const highestOf = (index: number): number =>
  index < 0 ? 0 : Math.ceil(edgeOf(Math.min(index, lastIndex) + 1)) - 1

/** The integer that represents a bucket: its middle, or its only integer. */
export const middleOf = (index: number): number => {
  if (index < 0) return 0
  const edge = edgeOf(index)
  return Math.ceil(edge + Math.floor((edgeOf(index + 1) - edge) / 2))
}
