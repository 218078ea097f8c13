// Sends the lines of standard input with Kafka's own producer, in one batch for each codec.
// Arguments: brokers, then for each codec its name and a topic.
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

public class Produce {
  public static void main(String[] args) {
    List<String> lines = new Scanner(System.in).useDelimiter("\n").tokens().toList();
    for (int i = 1; i < args.length; i += 2) {
      String topic = args[i + 1];
      Map<String, Object> settings = Map.of(
          "bootstrap.servers", args[0], "compression.type", args[i], "linger.ms", 1000, "batch.size", 900_000);
      try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
        lines.forEach(line -> producer.send(new ProducerRecord<>(topic, line)));
      }
    }
  }
}
