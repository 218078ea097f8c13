package ringside.bench;

/** A distribution: 32 buckets to an octave, the count of each, as wire/sketch.ts has them. */
final class LogLinear {
  private static final int OCTAVES = 63;

  private final int[][] octaves = new int[OCTAVES][];

  void record(long value) {
    if (value < 1) return;
    int octave = 63 - Long.numberOfLeadingZeros(value);
    int within = (int) (octave >= 5 ? value >>> (octave - 5) : value << (5 - octave)) & 31;
    add(octave * 32 + within, 1);
  }

  void add(int index, int count) {
    int octave = index >> 5;
    if (octaves[octave] == null) octaves[octave] = new int[32];
    octaves[octave][index & 31] += count;
  }

  /** Goes through the buckets that hold something, in their order. */
  void forEach(BucketVisitor visitor) {
    for (int octave = 0; octave < OCTAVES; octave++) {
      if (octaves[octave] == null) continue;
      for (int within = 0; within < 32; within++) {
        int count = octaves[octave][within];
        if (count != 0) visitor.visit(octave * 32 + within, count);
      }
    }
  }

  int buckets() {
    int[] buckets = {0};
    forEach((index, count) -> buckets[0]++);
    return buckets[0];
  }

  /** Nearest-rank quantiles: the middle of the bucket of each; `qs` ascend. */
  long[] quantiles(long total, double... qs) {
    long[] found = new long[qs.length];
    long[] seen = {0};
    int[] next = {0};
    forEach((index, count) -> {
      seen[0] += count;
      while (next[0] < qs.length && seen[0] >= Math.max(1, (long) Math.ceil(qs[next[0]] * total))) {
        found[next[0]++] = (long) Math.scalb(1 + ((index & 31) + 0.5) / 32, index >> 5);
      }
    });
    return found;
  }

  interface BucketVisitor {
    void visit(int index, int count);
  }
}
