package ringside.bench;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** What is known of the calls of one (host, workload, call) in a window. */
final class Row {
  private static final int FIXED_BYTES = 5 * Long.BYTES;
  private static final int BUCKET_BYTES = 2 * Integer.BYTES;

  long count;
  /** Every error: the compared job has no verdicts. */
  long failed;
  long bytes;
  long totalNs;
  long maxNs;
  final LogLinear durations = new LogLinear();

  void add(long durationNs, long ret, boolean movesBytes) {
    count++;
    if (ret < 0) failed++;
    else if (movesBytes) bytes += ret;
    totalNs += durationNs;
    maxNs = Math.max(maxNs, durationNs);
    durations.record(durationNs);
  }

  Row merge(Row other) {
    if (other == null) return this;
    count += other.count;
    failed += other.failed;
    bytes += other.bytes;
    totalNs += other.totalNs;
    maxNs = Math.max(maxNs, other.maxNs);
    other.durations.forEach(durations::add);
    return this;
  }

  static Serde<Row> serde() {
    return Serdes.serdeFrom((topic, row) -> row == null ? null : row.toBytes(), (topic, bytes) -> from(bytes));
  }

  private byte[] toBytes() {
    ByteBuffer to = ByteBuffer.allocate(FIXED_BYTES + BUCKET_BYTES * durations.buckets());
    to.putLong(count).putLong(failed).putLong(bytes).putLong(totalNs).putLong(maxNs);
    durations.forEach((index, inBucket) -> to.putInt(index).putInt(inBucket));
    return to.array();
  }

  private static Row from(byte[] bytes) {
    if (bytes == null) return null;
    ByteBuffer from = ByteBuffer.wrap(bytes);
    Row row = new Row();
    row.count = from.getLong();
    row.failed = from.getLong();
    row.bytes = from.getLong();
    row.totalNs = from.getLong();
    row.maxNs = from.getLong();
    while (from.hasRemaining()) row.durations.add(from.getInt(), from.getInt());
    return row;
  }
}
