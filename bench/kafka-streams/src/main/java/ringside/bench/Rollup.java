package ringside.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.common.serialization.Serializer;

/** A row as it is published. `key`: host, workload and call. */
record Rollup(String key, long windowMs, long startMs, Row row) {

  /** Writes them by schemas/rollup.avsc. */
  static Serializer<Rollup> serializer(Schema schema) {
    BinaryMessageEncoder<GenericRecord> encoder = new BinaryMessageEncoder<>(GenericData.get(), schema);
    return (topic, rollup) -> {
      try {
        var encoded = encoder.encode(rollup.toRecord(schema));
        byte[] bytes = new byte[encoded.remaining()];
        encoded.get(bytes);
        return bytes;
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    };
  }

  private GenericRecord toRecord(Schema schema) {
    String[] parts = key.split("\\|", 3);
    long[] quantiles = row.durations.quantiles(row.count, 0.5, 0.9, 0.95, 0.99, 0.999);
    Schema buckets = schema.getField("latency").schema();
    List<GenericRecord> latency = new ArrayList<>();
    row.durations.forEach((index, count) -> {
      GenericRecord bucket = new GenericData.Record(buckets.getElementType());
      bucket.put("index", index);
      bucket.put("count", (long) count);
      latency.add(bucket);
    });
    return new GenericRecordBuilder(schema)
        .set("host", parts[0]).set("workload", parts[1]).set("syscall", parts[2])
        .set("pid", 0).set("start_us", 0L).set("comm", "").set("exe", null).set("container_id", null)
        .set("window_start", startMs * 1000).set("window_ms", (int) windowMs).set("revision", 1)
        .set("count", row.count).set("failed", row.failed).set("bytes", row.bytes).set("total_ns", row.totalNs)
        .set("p50_ns", quantiles[0]).set("p90_ns", quantiles[1]).set("p95_ns", quantiles[2])
        .set("p99_ns", quantiles[3]).set("p999_ns", quantiles[4]).set("max_ns", row.maxNs)
        .set("rate", row.count * 1000.0 / windowMs).set("latency", latency)
        .build();
  }
}
