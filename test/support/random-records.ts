// Random raw records: every field has any value that its layout allows, with the edges of integers and broken UTF-8.
import { randomBytes } from 'node:crypto'
import { cpuMax, eventClasses, nrMax } from '../../bpf/event.ts'
import { type RawEvent, type RawSocket, rawEvent, rawSummary } from './raw-events.ts'

export const below = (bound: number): number => Math.floor(Math.random() * bound)
export const oneOf = <T>(values: readonly T[]): T => values[below(values.length)] as T

const edges64 = [0n, 1n, 999n, 1000n, 2n ** 32n, 2n ** 52n, 2n ** 53n - 2n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n]
const edges32 = [0, 1, 63, 64, 8191, 8192, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]

/** 64 random bits of any magnitude. */
export const random64 = (): bigint => {
  if (Math.random() < 0.2) return BigInt.asUintN(64, oneOf(edges64) + BigInt(below(3) - 1))
  return randomBytes(8).readBigUInt64LE() >> BigInt(below(64))
}
const randomSigned64 = (): bigint => BigInt.asIntN(64, Math.random() < 0.5 ? random64() : -random64())
const random32 = (): number => (Math.random() < 0.2 ? oneOf(edges32) : randomBytes(4).readUInt32LE() >>> below(32))

const texts = ['', 'a', '/usr/bin/node', '/srv/é', '名前', '😀', '\ufeffx', '\u2028', '\n', '-', '/', '.scope', 'x\0y']
const brokenText = ['ff', 'c3', 'c0af', 'e0809f', 'eda080', 'f0908d', 'f4908080', 'f8888080', 'e2', 'f09f98', '80']
const containerId = '0123456789abcdef'.repeat(4)
const pieces = [
  ...texts.map((text) => Buffer.from(text)),
  ...brokenText.map((hex) => Buffer.from(hex, 'hex')),
  Buffer.from(containerId),
  Buffer.from(`docker-${containerId}.scope`),
  Buffer.from(`/kubepods/pod1/${containerId}`)
]

/** Names, UTF-8 that is broken in every way, and random bytes. */
export const randomText = (): Buffer => {
  if (Math.random() < 0.4) return Buffer.alloc(0)
  const parts = Array.from({ length: 1 + below(4) }, () =>
    Math.random() < 0.15 ? randomBytes(below(40)) : oneOf(pieces)
  )
  return Buffer.concat(parts)
}

const randomSocket = (): RawSocket => ({
  family: oneOf([1, 2, 10, 16, 40, random32() % 65_536]),
  type: random32() % 65_536,
  protocol: random32() % 65_536,
  netns: random32(),
  localAddress: randomBytes(16),
  localPort: random32(),
  remoteAddress: randomBytes(16),
  remotePort: random32()
})

/** Processes, sockets and stacks that several records share, so that tables find them. */
export interface World {
  readonly processes: readonly Pick<RawEvent, 'pid' | 'startNs' | 'ppid' | 'uid' | 'comm' | 'cgroupId'>[]
  readonly sockets: readonly RawSocket[]
  readonly stacks: readonly (readonly bigint[])[]
}

export const randomWorld = (processes: number, sockets: number): World => {
  const pids = Array.from({ length: processes }, random32)
  return {
    processes: pids.map((pid) => ({
      pid,
      startNs: random64(),
      ppid: oneOf(pids),
      uid: random32(),
      comm: randomText().subarray(0, 16),
      cgroupId: random64()
    })),
    sockets: Array.from({ length: sockets }, randomSocket),
    // Only 32 addresses are read.
    stacks: Array.from({ length: 20 }, () => Array.from({ length: 1 + below(40) }, random64))
  }
}

const common = (world: World): Partial<RawEvent> => ({
  ...(Math.random() < 0.9 ? oneOf(world.processes) : randomWorld(1, 0).processes[0]),
  ...(Math.random() < 0.1 ? { comm: randomBytes(below(17)) } : {}),
  execId: Math.random() < 0.9 ? below(4) : random32(),
  class: below(eventClasses.length),
  call: below(64),
  seq: random64(),
  timeNs: random64(),
  durationNs: random64(),
  nr: below(nrMax),
  isCompat: Math.random() < 0.3,
  advance: random32()
})

const creatorIn = (world: World): Pick<RawEvent, 'origin' | 'originId'> => {
  const creator = oneOf(world.processes)
  return creator === undefined ? { origin: 0, originId: 0n } : { origin: creator.pid, originId: creator.startNs }
}

export const randomEvent = (world: World): RawEvent =>
  rawEvent({
    ...common(world),
    kind: oneOf([0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 255]),
    ret: randomSigned64(),
    cpu: oneOf([0, 1, 2, 63, 64, cpuMax - 1]),
    tid: random32(),
    fd: random32() | 0,
    arg: random32(),
    euid: random32(),
    ...(Math.random() < 0.7 ? creatorIn(world) : { origin: random32(), originId: random64() }),
    target: random32() | 0,
    reference: random32() | 0,
    amount: random64(),
    messages: oneOf([0, 1, 65_535]),
    notEntered: Math.random() < 0.3,
    path: randomText(),
    extra: randomText(),
    pathTruncated: Math.random() < 0.2,
    pathOpened: Math.random() < 0.3,
    pathDeleted: Math.random() < 0.2,
    addressGiven: Math.random() < 0.3,
    argumentChanged: Math.random() < 0.3,
    stack: Math.random() < 0.5 ? [] : oneOf(world.stacks),
    socket: Math.random() < 0.5 || world.sockets.length === 0 ? undefined : oneOf(world.sockets)
  })

export const randomSummary = (world: World): RawEvent =>
  rawSummary(common(world), {
    count: random64(),
    errors: random64(),
    totalNs: random64(),
    bytes: random64(),
    limited: random64(),
    uncounted: random64(),
    cells: Array.from({ length: below(20) }, () => [below(4), random32() % 65_536, random32()] as const)
  })
