// The two-sample test of Kolmogorov and Smirnov on distributions in buckets: how far apart two are, and how likely
// samples of one and the same are as far apart.
import type { Bucket } from '../../../wire/types.ts'

const sizeOf = (buckets: readonly Bucket[]): number => buckets.reduce((sum, { count }) => sum + count, 0)

/**
 * The largest difference of the two distribution functions, looked at between buckets: never more than that of the
 * values themselves, and less by at most the share of the fullest bucket.
 * @param a in order of the index, with at least one value; likewise b
 * @returns 0 to 1
 */
export const distance = (a: readonly Bucket[], b: readonly Bucket[]): number => {
  const [n, m] = [sizeOf(a), sizeOf(b)]
  let [i, j, below, belowToo, largest] = [0, 0, 0, 0, 0]
  while (i < a.length && j < b.length) {
    const index = Math.min((a[i] as Bucket).index, (b[j] as Bucket).index)
    if (a[i]?.index === index) below += (a[i++] as Bucket).count
    if (b[j]?.index === index) belowToo += (b[j++] as Bucket).count
    largest = Math.max(largest, Math.abs(below / n - belowToo / m))
  }
  return largest
}

/**
 * How likely two samples of one distribution are at least so far apart: the asymptotic distribution, with the
 * correction for small samples by Stephens (1970). Ties make the true probability smaller.
 * @param d a distance, 0 to 1
 * @param n values of the one sample; m of the other
 */
export const probability = (d: number, n: number, m: number): number => {
  const root = Math.sqrt((n * m) / (n + m))
  const x = (root + 0.12 + 0.11 / root) * d
  // Below it the series needs many terms, and the sum is 1 to ten digits.
  if (x < 0.2) return 1
  let sum = 0
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * x * x)
    sum += k % 2 === 1 ? term : -term
    if (term < 1e-18) break
  }
  return Math.min(1, 2 * sum)
}
