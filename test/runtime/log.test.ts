import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import pretty from 'pino-pretty'
import { createLog } from '../../runtime/log.ts'
import { printable, printableLines } from '../../runtime/printable.ts'

const hostile = 'web\u001b]0;x\u0007\u202e\n\u009b\0'

test('a line is JSON whose messages and fields are printable and bounded', () => {
  const lines: string[] = []
  const log = createLog('edge', 'info', { write: (line: string) => void lines.push(line) }).child({
    component: hostile
  })
  log.warn({ host: hostile, err: new Error(hostile) }, `no answer of ${hostile}${'x'.repeat(11_000)}`)
  log.info({ lag: 3 }, 'ready')
  assert.equal(lines.length, 2)
  for (const line of lines) assert.equal(printable(line.slice(0, -1), Number.POSITIVE_INFINITY), line.slice(0, -1))
  const [first, second] = lines.map((line) => JSON.parse(line))
  assert.equal(first.host, printable(hostile))
  assert.equal(first.component, printable(hostile))
  assert.equal(first.err.message, printable(hostile))
  assert.equal(first.msg.length, 1000)
  assert.equal(second.msg, 'ready')
  assert.equal(second.lag, 3)
})

test('on a terminal, too', () => {
  let text = ''
  const stream = new Writable({
    write: (chunk, _, done) => {
      text += chunk
      done()
    }
  })
  const log = createLog('edge', 'info', pretty({ destination: stream, sync: true, colorize: false }))
  log.warn({ host: hostile }, `no answer of ${hostile}`)
  assert.ok(text.includes(`no answer of ${printable(hostile)}`))
  assert.equal(printableLines(text), text)
})

test('a log on a full disk stops no process', () => {
  const full = openSync('/dev/full', 'w')
  const script = `
    import { createLog } from '${join(import.meta.dirname, '../../runtime/log.ts')}'
    const log = createLog('edge', 'info')
    for (let i = 0; i < 20000; i++) log.info({ i }, 'x'.repeat(100))
    setTimeout(() => process.stdout.write('alive'), 10)
  `
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', full],
    encoding: 'utf8'
  })
  closeSync(full)
  assert.equal(status, 0)
  assert.match(stdout, /^alive$/)
})
