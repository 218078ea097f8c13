import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { buildDir } from '../../native/ring/addon.ts'
import { readContract } from '../../native/ring/contract.ts'
import { eventPath, formatEvent } from '../../scripts/generate-event.ts'

const built = join(buildDir, 'ringside.bpf.o')
const skip = existsSync(built) ? false : `needs ${built}: npm run build`

describe('event.h', { skip }, () => {
  const layoutOf = (struct: string) => readContract().structs[struct]

  it('is what bpf/event.ts was generated from', () => {
    const isCurrent = readFileSync(eventPath, 'utf8') === formatEvent(readContract())
    assert.ok(isCurrent, 'bpf/event.ts is not current: npm run build && node scripts/generate-event.ts')
  })

  it('must define every type that bpf/event.ts needs', () => {
    const { enums, ...contract } = readContract()
    const { ringside_flag, ...others } = enums
    assert.throws(() => formatEvent({ ...contract, enums: others }), /no enum ringside_flag: add it to struct contract/)
    const gap = { ...others, ringside_flag: ringside_flag ?? {}, ringside_mode: { RINGSIDE_MODE_OFF: 1 } }
    assert.throws(() => formatEvent({ ...contract, enums: gap }), /enum ringside_mode does not count from 0/)
  })

  it('lays struct ringside_config out as user space writes it', () => {
    assert.deepEqual(layoutOf('ringside_config'), {
      bytes: 69_680,
      fields: {
        generation: 0,
        filters: 4,
        self_tgid: 8,
        family_tgid: 12,
        self_start_ns: 16,
        family_start_ns: 24,
        epoch: 32,
        groups: 36,
        go_functions: 40,
        process_events: 44,
        call_of: 48,
        mode_of: 2096,
        go: 4144
      }
    })
  })

  it('gives each CPU three cache lines of counters', () => {
    assert.deepEqual(layoutOf('ringside_counters'), {
      bytes: 192,
      fields: {
        seq: 0,
        emitted: 8,
        dropped: 40,
        off: 72,
        counted: 104,
        untracked: 136,
        uncounted: 144,
        limited: 152,
        reserved: 160
      }
    })
  })

  it('gives each half of the groups a cache line for its use', () => {
    assert.deepEqual(layoutOf('ringside_used'), { bytes: 64, fields: { groups: 0, reserved: 4 } })
  })

  it('lays a group of counts out as three cache lines, its counts in the latter two', () => {
    assert.deepEqual(layoutOf('ringside_group'), {
      bytes: 192,
      fields: {
        start_ns: 0,
        cgroup_id: 8,
        pid: 16,
        euid: 20,
        ppid: 24,
        uid: 28,
        comm: 32,
        exec_id: 48,
        // Bits 0, 10, 11, 13, 20, 26 and 28 of one word.
        nr: 52,
        abi: 53,
        measure: 53,
        place: 53,
        call: 54,
        event_class: 55,
        reserved: 55,
        sum: 56,
        counts: 64
      }
    })
  })
})
