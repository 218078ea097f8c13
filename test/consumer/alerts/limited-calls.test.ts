import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Entities } from '../../../consumer/alerts/entities.ts'
import { LimitedCalls } from '../../../consumer/alerts/limited-calls.ts'
import { processOf } from '../support/batches.ts'
import { ruleOf } from '../support/rule-files.ts'

const windowUs = 3_000_000
const entity = new Entities(ruleOf({ threshold: { count: 3, windowSeconds: 3 } }), 2).of('a', 0)

test('limited calls belong to the entity of the last event of the same process and call within the window', () => {
  const limited = new LimitedCalls(windowUs)
  const process = processOf({ pid: 7, start_us: 1 })
  limited.see(process, 'sendto', entity, 1_000_000)
  assert.equal(limited.entityOf(process, 'sendto', 3_999_999), entity)
  assert.equal(limited.entityOf(process, 'sendto', 4_000_000), undefined)
  assert.equal(limited.entityOf(process, 'sendmsg', 2_000_000), undefined)
  assert.equal(limited.entityOf(processOf({ pid: 7, start_us: 2 }), 'sendto', 2_000_000), undefined)
  limited.clear()
  assert.equal(limited.entityOf(process, 'sendto', 2_000_000), undefined)
})

test('beyond the bound the process that matched longest ago is evicted', () => {
  const limited = new LimitedCalls(windowUs)
  const of = (pid: number) => processOf({ pid, start_us: 1 })
  for (let pid = 1; pid <= 4097; pid++) limited.see(of(pid), 'sendto', entity, 0)
  assert.equal(limited.entityOf(of(1), 'sendto', 1), undefined)
  assert.equal(limited.entityOf(of(2), 'sendto', 1), entity)
})
