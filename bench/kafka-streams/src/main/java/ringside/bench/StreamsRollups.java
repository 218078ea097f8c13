package ringside.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.avro.Schema;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.Stores;
import ringside.EventBatch;

/**
 * The rollups service as a job for Kafka Streams, exactly once. Arguments: brokers, a prefix of topics, the file of the
 * schema of rows, a folder for state. Each line on stdin, a name, lets a new application of that name read the whole
 * topic; each line on stdout says how many calls it counted, and the CPU seconds of this process, of all its threads,
 * from its first batch until all was committed and closed.
 */
public final class StreamsRollups {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  public static void main(String[] args) throws Exception {
    String prefix = args[1];
    Schema rollupSchema = new Schema.Parser().parse(new File(args[2]));
    BufferedReader rounds = new BufferedReader(new InputStreamReader(System.in));
    for (String name = rounds.readLine(); name != null; name = rounds.readLine()) {
      CountDownLatch done = new CountDownLatch(1);
      AtomicLong calls = new AtomicLong();
      AtomicLong begunNs = new AtomicLong();
      Topology topology = new Topology()
          .addSource("events", new StringDeserializer(), eventBatches(), prefix + "events")
          .addProcessor("windows", () -> new WindowProcessor(
              () -> begunNs.compareAndSet(0, SYSTEM.getProcessCpuTime()), calls::addAndGet, done::countDown), "events")
          .addStateStore(Stores.windowStoreBuilder(
              Stores.inMemoryWindowStore(WindowProcessor.STORE, Duration.ofMinutes(3), Duration.ofMinutes(1), false),
              Serdes.String(), Row.serde()).withCachingEnabled().withLoggingEnabled(Map.of()), "windows")
          .addSink("rollups", prefix + "rollups", new StringSerializer(), Rollup.serializer(rollupSchema), "windows");
      KafkaStreams streams = new KafkaStreams(topology, settings(args[0], prefix + name, args[3]));
      streams.setUncaughtExceptionHandler(error -> {
        error.printStackTrace();
        Runtime.getRuntime().halt(1);
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
      });
      streams.start();
      done.await();
      streams.close();
      double seconds = (SYSTEM.getProcessCpuTime() - begunNs.get()) / 1e9;
      System.out.println(calls.get() + " " + seconds);
    }
  }

  private static Properties settings(String brokers, String application, String stateFolder) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, Path.of(stateFolder).toString());
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "zstd");
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_ZSTD_LEVEL_CONFIG), 1);
    return settings;
  }

  private static Deserializer<EventBatch> eventBatches() {
    var decoder = EventBatch.getDecoder();
    return (topic, bytes) -> {
      try {
        return decoder.decode(bytes);
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    };
  }
}
