import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HostStatuses } from '../../../consumer/rollups/host-status.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import type { Ledger, LedgerClass, Step } from '../../../wire/types.ts'
import { batchOf } from '../support/batches.ts'

const network: LedgerClass = { class: 'network', off: 0, counted: 0, emitted: 9, dropped: 3, published: 8, spooled: 1 }
const step: Step = { class: 'network', mode: 'count', reason: 'over its budget', monotonic_us: 5 }
const calls = { emitted: 7, counted: 40, keys: 3, overflowCalls: 2 }
const nothing = { late: 0, outside: 0 }

test('a status has the calls of its window, and once the losses since the status before', () => {
  const statuses = new HostStatuses(1000, () => 77)
  const boundSteps = [{ process_events: 256, mode: 'count', reason: 'over its budget', monotonic_us: 4 }]
  const flooder = { pid: 7, start_us: 1, comm: 'flood', call: 'connect', count: 5 }
  const scanner = { ...flooder, pid: 8, count: 6 }
  const ledger: Ledger = {
    ...{ monotonic_us: 1, untracked: 0, uncounted: 0, classes: [network], steps: [step], limited: 11 },
    ...{ process_events: 256, bound_steps: boundSteps, cpu_process_us: 0, cpu_programs_us: -1 },
    limited_processes: [scanner, flooder]
  }
  const drops = [{ class: 'network', reason: 'ring_full', count: 2 }] as const
  statuses.add(columnsOf(batchOf({ drops: [...drops], ledger })), { late: 4, outside: 1 }, 800)
  const later = { ...ledger, steps: [], bound_steps: [], limited_processes: [flooder] }
  statuses.add(columnsOf(batchOf({ drops: [...drops], ledger: later })), { late: 1, outside: 0 }, 900)
  statuses.add(columnsOf(batchOf({ final: true })), nothing, 1000)
  const [first, second] = statuses.take([
    { startUs: 0, calls },
    { startUs: 1_000_000, calls: undefined }
  ])
  assert.deepEqual(first, {
    ...{ host: 'host-a', boot: 'boot-1', run: 'run-1', agent: '0.1.0', window_start: 0, window_ms: 1000 },
    ...{ watermark: 1000, read: 77, final: false, events: 7, counted: 40, rows: 3, others: 2, late: 5, outside: 1 },
    ...{ drops: [{ class: 'network', reason: 'ring_full', count: 4 }], classes: [network], steps: [step] },
    ...{ process_events: 256, bound_steps: boundSteps },
    limited_processes: [{ ...flooder, count: 10 }, scanner]
  })
  assert.deepEqual(second, {
    ...first,
    ...{ window_start: 1_000_000, final: true, events: 0, counted: 0, rows: 0, others: 0, late: 0, outside: 0 },
    ...{ drops: [], steps: [], bound_steps: [], limited_processes: [] }
  })
})

test('adding a batch does not change it', () => {
  const statuses = new HostStatuses(1000, () => 0)
  const batch = columnsOf(batchOf({ drops: [{ class: 'file', reason: 'ring_full', count: 1 }] }))
  statuses.add(batch, nothing, 0)
  statuses.add(batch, nothing, 0)
  assert.equal(batch.drops[0]?.count, 1)
})
