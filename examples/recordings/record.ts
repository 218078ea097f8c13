// Records known-calls.rec again: the calls of the programs in test/bpf/programs on the live kernel. Run it as root:
// node examples/recordings/record.ts. Play the recording with: ringside up --source examples/recordings/known-calls.rec
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLiveSource } from '../../producer/source/live-source.ts'
import { createRecorder } from '../../producer/source/recorder.ts'
import { commOf, program, quiet, run } from '../../test/bpf/observe.ts'
import { testLog } from '../../test/support/log.ts'

const folder = mkdtempSync(join(tmpdir(), 'ringside-'))
const names = [
  'files',
  'tcp',
  'udp',
  'unix',
  'messages',
  'connect',
  'descriptors',
  'names',
  'uring',
  'exec',
  'children',
  'flood'
]

/** Copies a program to where it is recorded. */
const place = (name: string): string => {
  const path = join(folder, commOf(name))
  copyFileSync(program(name), path)
  return path
}

const target = join(import.meta.dirname, 'known-calls.rec')
const paths = Object.fromEntries(names.map((name) => [name, place(name)]))
const call = (name: string, ...args: string[]) => run(paths[name] ?? '', ...args)
writeFileSync(join(folder, 'file'), '....')
writeFileSync(join(folder, 'names'), `${join(folder, 'file')}\0`)

const source = createRecorder(await openLiveSource({ ...quiet, comms: names.map(commOf) }), target, testLog)
await call('files', join(folder, 'file'), join(folder, 'names'))
await call('tcp', '4')
await call('tcp', '6')
await call('udp', '4242')
await call('unix', join(folder, 'socket'), 'ringside-example')
await call('messages')
await call('connect', '1')
await call('descriptors')
for (const name of ['a', 'b']) writeFileSync(join(folder, name), '')
await call('names', folder, 'x'.repeat(300))
writeFileSync(join(folder, 'a'), '....')
await call('uring', folder, '9')
await call('exec', paths['flood'] ?? '')
await call('children', '5')
await call('flood', '100')
await source.detach()
const batch = new Uint8Array(1 << 20)
while (!source.ended) source.read(batch)
const { seen } = source.statistics()
source.close()
rmSync(folder, { recursive: true })
process.stdout.write(`${target}: ${seen} events\n`)
