// Merges the results of test files that ran side by side: each file's tests together, one total at the end, in the format
// of node's own runner.
import { once } from 'node:events'
import { spec, type TestEvent } from 'node:test/reporters'

const counted = ['tests', 'suites', 'passed', 'failed', 'cancelled', 'skipped', 'todo'] as const

/** Names that node's runner gives the counts in its closing lines. */
const titles: Readonly<Record<string, string>> = { passed: 'pass', failed: 'fail' }

const isClosingLine = ({ type, data }: TestEvent): boolean =>
  type === 'test:diagnostic' &&
  data.nesting === 0 &&
  /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/.test(data.message)

export class Report {
  readonly #reporter = new spec()
  readonly #startedMs = performance.now()
  readonly #sums: Record<(typeof counted)[number], number> = {
    tests: 0,
    suites: 0,
    passed: 0,
    failed: 0,
    cancelled: 0,
    skipped: 0,
    todo: 0
  }

  constructor(output: NodeJS.WritableStream) {
    this.#reporter.pipe(output, { end: false })
  }

  /** @param events everything that the run of this one file gave */
  add(file: string, events: readonly TestEvent[], durationMs: number): void {
    for (const event of events) {
      if (event.type === 'test:summary') {
        // Once for the file, once for the run of it, which counts a file that crashed, too.
        const counts: Readonly<Record<string, number>> = event.data.file === undefined ? event.data.counts : {}
        for (const name of counted) this.#sums[name] += counts[name] ?? 0
      } else if (!isClosingLine(event)) {
        this.#reporter.write(event)
      }
    }
    this.#say(`${file}: ${(durationMs / 1000).toFixed(1)} s`)
  }

  /** @returns whether every test passed */
  async finish(): Promise<boolean> {
    for (const name of counted) this.#say(`${titles[name] ?? name} ${this.#sums[name]}`)
    this.#say(`duration_ms ${performance.now() - this.#startedMs}`)
    this.#reporter.end()
    await once(this.#reporter, 'end')
    return this.#sums.tests > 0 && this.#sums.failed === 0 && this.#sums.cancelled === 0
  }

  #say(message: string): void {
    this.#reporter.write({ type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } })
  }
}
