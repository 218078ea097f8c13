// Every way by which a name that an attacker chose (thread, executable, path, host) reaches a terminal, a log, a scrape or a
// page. The panel's page itself is tested in test/consumer/panel/page.test.ts.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import pretty from 'pino-pretty'
import { formatResults } from '../../cli/doctor/check.ts'
import { type RowTopicName, rowReaders, rowTopicNames } from '../../cli/rows/row-readers.ts'
import { Output } from '../../cli/terminal/output.ts'
import { Progress } from '../../cli/terminal/progress.ts'
import { remark } from '../../cli/terminal/quiet-log.ts'
import { TableLayout } from '../../cli/terminal/table.ts'
import { RecentRollups } from '../../cli/top/recent.ts'
import { topRows, totals } from '../../cli/top/rows.ts'
import { screen } from '../../cli/top/screen.ts'
import { ChildLog } from '../../cli/up/child-log.ts'
import { formatReports } from '../../cli/verify/format-reports.ts'
import { deadLetter } from '../../consumer/loop/dead-letter.ts'
import { LivePages } from '../../consumer/panel/server/live-pages.ts'
import { startServer } from '../../consumer/panel/server/server.ts'
import { Store } from '../../consumer/panel/state/store.ts'
import { exposition } from '../../runtime/exposition.ts'
import { healthAnswer } from '../../runtime/health.ts'
import { createLog } from '../../runtime/log.ts'
import { finding } from '../../verify/finding.ts'
import { encode, type Records, type SchemaName } from '../../wire/codec.ts'
import { testLog } from '../support/log.ts'
import { samples } from '../support/records.ts'
import { startRingside, temporaryDirectory } from '../support/ringside.ts'

const marks = {
  'a line break': '\n',
  'a carriage return': '\r',
  'an escape sequence': '\u001b[2J\u001b]0;title\u0007',
  'an 8-bit escape sequence': '\u009b2J',
  'bidirectional controls': '\u202e\u2066',
  'a zero byte': '\0',
  'a line separator': '\u2028',
  'invisible characters': '\u200b\u{e0061}'
} as const

/** A name with bytes that are no UTF-8, as decoded everywhere, and then so much that no line of a terminal has it. */
const hostileName = (mark: string): string => `evil${mark}${Buffer.from([0xff, 0xc3]).toString()}${'x'.repeat(5000)}`

// Its own: a mistake in the function under test must not hide itself.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not appear
const forbidden = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069]|\u{e0061}/u

const copy = <T>(part: T): T => {
  if (typeof part !== 'object' || part === null || Buffer.isBuffer(part)) return part
  if (Array.isArray(part)) return part.map(copy) as T
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, copy(value)])) as T
}

/** The record with this text in every field that takes one. */
const withText = <Name extends SchemaName>(name: Name, text: string): Records[Name] => {
  const record = copy(samples[name])
  const replace = (part: object): void => {
    for (const [key, value] of Object.entries(part) as [keyof typeof part, unknown][]) {
      if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) replace(value)
      if (typeof value !== 'string') continue
      part[key] = text as never
      try {
        encode(name, record as never)
      } catch {
        part[key] = value as never
      }
    }
  }
  replace(record)
  return record
}

class Screen extends Writable {
  text = ''
  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

const throughOutput = async (write: (output: Output) => Promise<void>): Promise<string> => {
  const stream = new Screen()
  await write(new Output(stream as unknown as NodeJS.WriteStream))
  return stream.text
}

const schemaOf: Readonly<Record<RowTopicName, SchemaName>> = {
  events: 'EventBatch',
  rollups: 'Rollup',
  hosts: 'HostStatus',
  alerts: 'Alert',
  audit: 'AuditRecord'
}

const rowsOf = (topic: RowTopicName, text: string): object[] => {
  const name = schemaOf[topic]
  return rowReaders[topic].rowsOf(encode(name, withText(name, text) as never))
}

const topView = (text: string) => {
  const recent = new RecentRollups({ spanMs: 10_000, partialAfterMs: 500 })
  recent.add({ ...withText('Rollup', text), by: 'process' }, 2000)
  recent.addStatus(withText('HostStatus', text), 2000)
  const parts = recent.parts('process', 0)
  return {
    ...({ by: 'process-call', sort: 'calls', spanMs: 10_000, nowMs: 2700, silentBeforeMs: 0 } as const),
    ...{ isFiltered: false, isReading: false, width: 200, height: 40 },
    ...{ hosts: recent.hosts(), totals: totals(parts), rows: topRows(parts, 'process-call', 'calls') }
  }
}

const reportOf = (text: string): Parameters<typeof formatReports>[0][number] => ({
  ...{ host: text, boot: text, agrees: false, runs: 1, batches: 1, accounted: 1, events: 1, summaries: 0 },
  ...{ dropped: 0, duplicates: 0, partial: 1, classes: [] },
  unfinished: [{ run: text, batch: 1, until: '2026-01-01T00:00:00Z', pending: 1 }],
  findings: [finding('unreadable', text)]
})

type Way = (text: string, context: TestContext) => string | Promise<string>

const ways: Readonly<Record<string, Way>> = {
  ...Object.fromEntries(
    rowTopicNames.flatMap((topic): [string, Way][] => [
      [
        `tail ${topic} as a table`,
        (text) => {
          const reader = rowReaders[topic]
          const cells = rowsOf(topic, text).map((row) => reader.cells(row))
          const layout = new TableLayout(reader.columns, cells, Number.POSITIVE_INFINITY)
          return throughOutput((output) => output.line(cells.map((row) => layout.line(row)).join('\n')))
        }
      ],
      [`tail ${topic} as JSON`, (text) => throughOutput((output) => output.json(...rowsOf(topic, text)))]
    ])
  ),
  top: (text) => throughOutput((output) => output.line(screen(topView(text), undefined).join('\n'))),
  'verify as a table': (text) =>
    throughOutput((output) => output.line(formatReports([reportOf(text)], Number.POSITIVE_INFINITY).join('\n'))),
  'verify as JSON': (text) => throughOutput((output) => output.json(reportOf(text))),
  doctor: (text) =>
    throughOutput((output) =>
      output.line(formatResults([{ name: 'kafka', status: 'fail', detail: text, remedy: text }], 1e6).join('\n'))
    ),
  'a line of up': (text) => {
    const stream = new Screen()
    new Progress(stream).line(`ALERT high rule: ${text}`)
    return stream.text
  },
  'the status of up': (text) => {
    const stream = new Screen()
    new Progress(stream).status(text)
    return stream.text
  },
  'a log file of up': (text, t) => {
    const log = new ChildLog(temporaryDirectory(t, 'log'), 'edge', () => {})
    log.write(Buffer.from(`crashed at ${text.replaceAll('\n', '')}\n`))
    log.close()
    return readFileSync(log.path, 'utf8')
  },
  'a remark on stderr': (text, t) => {
    let written = ''
    const mock = t.mock.method(process.stderr, 'write', (piece: string) => {
      written += piece
      return true
    })
    remark(text)
    mock.mock.restore()
    return written
  },
  // Line breaks of an error are Ringside's own: it lists problems.
  'an error of the command line': async (text) =>
    (await startRingside(['run', text.replaceAll(/[\0\n]/g, '')]).finished).stderr,
  'the log as JSON': (text) => {
    let line = ''
    const log = createLog('edge', 'info', { write: (each: string) => (line = each) })
    log.warn({ host: text, err: { message: text } }, text)
    return line
  },
  'the log on a terminal': (text) => {
    const stream = new Screen()
    createLog('edge', 'info', pretty({ destination: stream, sync: true, colorize: false })).warn({ host: text }, text)
    return stream.text
  },
  'labels of metrics': (text) =>
    exposition(
      [
        {
          name: 'ringside_x',
          kind: 'gauge',
          help: 'X.',
          labels: ['x'],
          samples: () => [{ labels: { x: text }, value: 1 }]
        }
      ],
      {},
      'openmetrics'
    ),
  'the reason of a dead letter': (text) => {
    const origin = { service: 'rollups', topic: 'events' }
    return String(deadLetter({ key: null, value: null }, new Error(text), origin, 0).headers?.['reason'])
  },
  'why a service is not ready': (text) => healthAnswer('/readyz', () => [text], true)?.text ?? '',
  "an error of the panel's server": async (text, t) => {
    const pages = new LivePages({ store: new Store({ windowsMs: [1000] }), version: '1', log: testLog })
    t.after(() => pages.close())
    const searchAudit = () => Promise.reject(new Error(text))
    const server = await startServer({
      ...{ listen: '0', token: undefined, version: '1', pages, searchAudit, problems: () => [] },
      ...{ pageDir: temporaryDirectory(t, 'page'), log: testLog }
    })
    t.after(() => server.close())
    const answer = await fetch(new URL('api/audit?fromMs=0&toMs=1', server.url))
    assert.equal(answer.status, 503)
    return answer.text()
  }
}

/** JSON for programs is whole, and a file may have long lines. */
const isBounded = (way: string): boolean => !/^(tail|verify).*JSON$|^a log file/.test(way)

for (const [way, written] of Object.entries(ways)) {
  test(`${way} shows no character that acts, whatever a name has`, async (t) => {
    const harmless = await written(hostileName('-'), t)
    assert.match(harmless, /evil-|x{100}/)
    for (const [what, mark] of Object.entries(marks)) {
      const text = await written(hostileName(mark), t)
      assert.doesNotMatch(text, forbidden, what)
      assert.equal(text.split('\n').length, harmless.split('\n').length, what)
      if (isBounded(way)) for (const line of text.split('\n')) assert.ok(line.length < 4200, `${what}: ${line.length}`)
    }
  })
}
