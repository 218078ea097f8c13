// `npm run bench` lists the benchmarks; `npm run bench -- NAME` runs one and prints its rows as JSON lines.
import { exitCodeOf, messageOf, RingsideError } from '../runtime/errors.ts'
import type { Row } from './rounds.ts'

interface Benchmark {
  readonly name: string
  readonly summary: string
  run(): AsyncIterable<Row>
}

const load: Record<string, () => Promise<Benchmark>> = {
  'traced-call': () => import('./traced-call.ts'),
  'server-request': () => import('./server-request.ts'),
  'edge-memory': () => import('./edge-memory.ts'),
  'ring-to-kafka': () => import('./ring-to-kafka.ts'),
  'kafka-to-rollups': () => import('./kafka-to-rollups.ts'),
  'whole-cost': () => import('./whole-cost.ts')
}

const main = async (name: string | undefined): Promise<void> => {
  if (name === undefined) {
    for (const loadOne of Object.values(load)) {
      const { name, summary } = await loadOne()
      process.stdout.write(`${name.padEnd(20)}${summary}\n`)
    }
    return
  }
  const loadOne = load[name]
  if (loadOne === undefined) {
    throw new RingsideError('USAGE', `there is no benchmark "${name}"; there are: ${Object.keys(load).join(', ')}`)
  }
  for await (const row of (await loadOne()).run()) process.stdout.write(`${JSON.stringify(row)}\n`)
}

try {
  await main(process.argv[2])
} catch (error) {
  process.stderr.write(`bench: ${messageOf(error)}\n`)
  process.exitCode = exitCodeOf(error)
}
