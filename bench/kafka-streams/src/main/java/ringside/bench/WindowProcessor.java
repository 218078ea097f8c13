package ringside.bench;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongConsumer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.WindowStore;
import ringside.Event;
import ringside.EventBatch;
import ringside.EventKind;

/**
 * Batches of events go in, rows of their windows come out. Each call is added to its window of 1 s, first in a map of
 * the batch and then, a key at a time, to the store; a window that closes is merged into those of 10 s and 60 s.
 */
final class WindowProcessor implements Processor<String, EventBatch, String, Rollup> {
  static final String STORE = "rows";
  static final List<Long> WINDOWS_MS = List.of(1_000L, 10_000L, 60_000L);
  private static final long SHORTEST_MS = WINDOWS_MS.get(0);
  private static final long GRACE_MS = 100;
  private static final Set<String> MOVES_BYTES = Set.of("read", "write", "sendto", "sendmsg", "recvfrom", "recvmsg");

  private final Runnable onFirst;
  private final Runnable onFinal;
  private final LongConsumer onCalls;
  private ProcessorContext<String, Rollup> context;
  private WindowStore<String, Row> store;
  /** Starts of the windows that are open, by length. */
  private final Map<Long, TreeSet<Long>> open = new HashMap<>();

  WindowProcessor(Runnable onFirst, LongConsumer onCalls, Runnable onFinal) {
    this.onFirst = onFirst;
    this.onCalls = onCalls;
    this.onFinal = onFinal;
    for (long windowMs : WINDOWS_MS) open.put(windowMs, new TreeSet<>());
  }

  @Override
  public void init(ProcessorContext<String, Rollup> context) {
    this.context = context;
    store = context.getStateStore(STORE);
  }

  private record Key(long startMs, String workload, String call) {}

  @Override
  public void process(Record<String, EventBatch> record) {
    onFirst.run();
    EventBatch batch = record.value();
    String host = batch.getHost().toString();
    Instant clock = batch.getClock().getWallUs();
    for (Map.Entry<Key, Row> entry : rowsOf(batch, clock).entrySet()) {
      Key key = entry.getKey();
      add(SHORTEST_MS, key.startMs, host + "|" + key.workload + "|" + key.call, entry.getValue());
    }
    close(batch.getFinal$() ? Long.MAX_VALUE : clock.toEpochMilli() - GRACE_MS);
    if (!batch.getFinal$()) return;
    context.commit();
    onFinal.run();
  }

  private Map<Key, Row> rowsOf(EventBatch batch, Instant clock) {
    long wallUs = clock.getEpochSecond() * 1_000_000 + clock.getNano() / 1000;
    String[] workloads = batch.getProcesses().stream()
        .map(process -> process.getContainerId() != null ? process.getContainerId()
            : process.getExe() != null ? process.getExe() : process.getComm())
        .map(CharSequence::toString).toArray(String[]::new);
    Map<Key, Row> rows = new HashMap<>();
    long calls = 0;
    for (Event event : batch.getEvents()) {
      if (event.getKind() != EventKind.syscall && event.getKind() != EventKind.io_uring) continue;
      String call = event.getCall() != null ? event.getCall().toString() : event.getSyscall().name();
      long timeMs = Math.floorDiv(wallUs + Math.floorDiv(event.getTimeOffsetNs(), 1000L), 1000L);
      Key key = new Key(timeMs - Math.floorMod(timeMs, SHORTEST_MS), workloads[event.getProcess()], call);
      rows.computeIfAbsent(key, absent -> new Row())
          .add(event.getDurationNs(), event.getRet(), MOVES_BYTES.contains(call));
      calls++;
    }
    onCalls.accept(calls);
    return rows;
  }

  private void add(long windowMs, long startMs, String key, Row row) {
    String stored = windowMs + "|" + key;
    store.put(stored, row.merge(store.fetch(stored, startMs)), startMs);
    open.get(windowMs).add(startMs);
  }

  private void close(long untilMs) {
    for (long windowMs : WINDOWS_MS) {
      TreeSet<Long> starts = open.get(windowMs);
      while (!starts.isEmpty() && starts.first() + windowMs <= untilMs) close(windowMs, starts.pollFirst());
    }
  }

  private void close(long windowMs, long startMs) {
    String prefix = windowMs + "|";
    try (KeyValueIterator<Windowed<String>, Row> rows = store.fetchAll(startMs, startMs)) {
      while (rows.hasNext()) {
        KeyValue<Windowed<String>, Row> next = rows.next();
        String stored = next.key.key();
        if (!stored.startsWith(prefix)) continue;
        String key = stored.substring(prefix.length());
        context.forward(new Record<>(key, new Rollup(key, windowMs, startMs, next.value), startMs));
        store.put(stored, null, startMs);
        if (windowMs != SHORTEST_MS) continue;
        for (long longerMs : WINDOWS_MS.subList(1, WINDOWS_MS.size())) {
          add(longerMs, startMs - Math.floorMod(startMs, longerMs), key, next.value);
        }
      }
    }
  }
}
