import assert from 'node:assert/strict'
import { test } from 'node:test'
import pino from 'pino'
import { LossLog } from '../../../wire/kafkajs/loss-log.ts'

const start = () => {
  const lines: { msg: string; level: number }[] = []
  const log = pino({ level: 'debug' }, { write: (line) => lines.push(JSON.parse(line)) })
  const clock = { ms: 0 }
  const losses = new LossLog('ringside.audit', log, () => clock.ms)
  const warnings = (): string[] => lines.filter(({ level }) => level >= 40).map(({ msg }) => msg)
  return { losses, clock, warnings, lines }
}

test('the first loss says what happened, its effect and the remedy', () => {
  const { losses, warnings } = start()
  losses.lost('no fetch for 90 s', 200)
  assert.equal(warnings().length, 1)
  assert.match(
    warnings()[0] ?? '',
    /^consumer of group ringside\.audit lost its membership, rejoining in 200 ms: no fetch for 90 s; .*nothing is lost.*; if this goes on, check the brokers/
  )
})

test('further losses are counted, with a line a minute, whatever their reasons', () => {
  const { losses, clock, warnings, lines } = start()
  for (let i = 0; i < 25; i++) {
    losses.lost(`reason ${i}`, 200)
    clock.ms += 1000
  }
  assert.equal(warnings().length, 1)
  assert.equal(lines.length, 25)
  clock.ms = 61_000
  losses.lost('the coordinator moved', 5000)
  assert.equal(warnings().length, 2)
  assert.match(
    warnings()[1] ?? '',
    /lost its membership 25 times in the last minute or longer, rejoining: the coordinator/
  )
})

test('a loss after a quiet time is explained again', () => {
  const { losses, clock, warnings } = start()
  losses.lost('x', 200)
  clock.ms = 3_600_000
  losses.lost('y', 200)
  assert.match(warnings()[1] ?? '', /rejoining in 200 ms: y; .*check the brokers/)
})
