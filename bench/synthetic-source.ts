// Ring bytes without a kernel: a busy host's mix of calls. The same bytes repeat with new sequence numbers, so that
// only the edge is measured.
import { eventField, recordKind } from '../bpf/event.ts'
import { noMark, type Source, type SourceStatistics } from '../producer/source/source.ts'
import { type RawEvent, rawBuffer, rawEvent } from '../test/support/raw-events.ts'

const eventsPerLap = 20_000
const processes = 50
const connections = 500
const cpus = 2

const file = { kind: recordKind.syscall, class: 3 } as const
const server = {
  family: 2,
  type: 1,
  protocol: 6,
  netns: 4_026_531_840,
  localAddress: Buffer.from([10, 0, 0, 5]),
  localPort: 443,
  remoteAddress: Buffer.from([192, 0, 2, 1])
}

/** Of ten events: four reads and three writes (of files and sockets), two opens, one connect. */
const eventOf = (i: number): RawEvent => {
  const pid = 1_000 + (i % processes)
  const at = { cpu: i % cpus, pid, tid: pid, comm: `worker-${pid}`, timeNs: 5_000_000_000n + BigInt(i * 1_000) }
  const socket = { ...server, remotePort: 10_000 + (i % connections) }
  const turn = i % 10
  if (turn < 4) return rawEvent({ ...at, ...file, call: 4, ret: 512n })
  if (turn < 7) return rawEvent({ ...at, ...file, call: 5, ret: 1_400n, socket })
  if (turn < 9) return rawEvent({ ...at, class: 2, call: 2, ret: 7n, fd: -1, path: `/srv/app/data/${i % 100}.json` })
  return rawEvent({ ...at, class: 1, call: 6, ret: -115n, socket })
}

// Made once, before anything is measured.
const lapBytes = rawBuffer(Array.from({ length: eventsPerLap }, (_, i) => eventOf(i)))

const nothing = { process: 0, network: 0, file: 0, io: 0 }

/** @param count events, rounded up to whole laps of 20,000 */
export const syntheticSource = (count: number): Source & { readonly count: number } => {
  const bytes = lapBytes.slice()
  const view = new DataView(bytes.buffer)
  const laps = Math.ceil(count / eventsPerLap)
  const next = new Array<number>(cpus).fill(1)
  let lap = 0
  let at = 0

  const copyRecords = (into: Uint8Array): number => {
    const start = at
    while (at < bytes.length) {
      const size = view.getUint32(at + eventField.size, true)
      if (at + size - start > into.length) break
      const cpu = view.getUint16(at + eventField.cpu, true)
      const seq = next[cpu] as number
      next[cpu] = seq + 1
      view.setUint32(at + eventField.seq, seq, true)
      at += size
    }
    into.set(bytes.subarray(start, at))
    return at - start
  }
  const statistics = (): SourceStatistics => ({
    seen: 0,
    emitted: nothing,
    dropped: nothing,
    sequences: next.map((seq, cpu) => ({ cpu, before: 0, last: seq - 1 }))
  })

  return {
    count: laps * eventsPerLap,
    boot: 'synthetic',
    description: `${laps * eventsPerLap} synthetic events`,
    lossless: true,
    get ended() {
      return lap === laps
    },
    read: (into) => {
      if (lap === laps) return 0
      const length = copyRecords(into)
      if (at === bytes.length) {
        at = 0
        lap++
      }
      return length
    },
    clock: () => ({ monotonicNs: process.hrtime.bigint(), wallNs: BigInt(Date.now()) * 1_000_000n }),
    statistics,
    begin: noMark,
    release: () => {},
    summarize: async () => false,
    detach: async () => {},
    close: () => {}
  }
}
