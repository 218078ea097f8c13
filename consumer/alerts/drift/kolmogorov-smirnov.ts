// The two-sample Kolmogorov–Smirnov test on distributions in buckets: the distance D of two samples, and its probability
// under the hypothesis that both come from one distribution.
import type { Bucket } from '../../../wire/types.ts'

const sizeOf = (buckets: readonly Bucket[]): number => buckets.reduce((sum, { count }) => sum + count, 0)

/**
 * The largest difference of the two distribution functions at the edges of buckets. It never exceeds the difference of
 * the values themselves, and is smaller by at most the share of the fullest bucket.
 * @param a buckets in the order of their index, with at least one value
 * @param b the same
 * @returns 0 to 1
 */
export const distance = (a: readonly Bucket[], b: readonly Bucket[]): number => {
  const [n, m] = [sizeOf(a), sizeOf(b)]
  let [i, j, belowA, belowB, largest] = [0, 0, 0, 0, 0]
  while (i < a.length && j < b.length) {
    const index = Math.min((a[i] as Bucket).index, (b[j] as Bucket).index)
    if (a[i]?.index === index) belowA += (a[i++] as Bucket).count
    if (b[j]?.index === index) belowB += (b[j++] as Bucket).count
    largest = Math.max(largest, Math.abs(belowA / n - belowB / m))
  }
  return largest
}

/**
 * Probability that two samples of one distribution have at least this distance: the asymptotic distribution with
 * Stephens' correction for small samples (1970). Ties make the true probability smaller.
 * @param d distance, 0 to 1
 * @param n size of one sample
 * @param m size of the other
 */
export const probability = (d: number, n: number, m: number): number => {
  const root = Math.sqrt((n * m) / (n + m))
  const x = (root + 0.12 + 0.11 / root) * d
  // Below 0.2 the series converges slowly, and the probability is 1 to ten digits.
  if (x < 0.2) return 1
  let sum = 0
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * x * x)
    sum += k % 2 === 1 ? term : -term
    if (term < 1e-18) break
  }
  return Math.min(1, 2 * sum)
}
