// Run by filter.test.ts. Starts itself as the observer, then a sibling of the observer and a child of a sibling, which write
// ten times each. Prints as JSON how many of these writes the observer saw.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { callsOf, observe, program } from './observe.ts'

const [ignoreFamily = 'false', role = 'parent'] = process.argv.slice(2)

const counts = async (): Promise<void> => {
  const { events } = await observe({ comms: ['rs-flood'], ignoreFamily: ignoreFamily === 'true' }, async () => {
    process.send?.('observing')
    await once(process, 'message')
  })
  const parent = process.ppid
  const writes = callsOf(events, 'write')
  const sibling = writes.filter((event) => event.ppid === parent).length
  process.send?.({ sibling, grandchild: writes.length - sibling })
}

const family = async (): Promise<void> => {
  const self = import.meta.filename
  const observer = spawn(process.execPath, [self, ignoreFamily, 'observer'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  await once(observer, 'message')
  await once(spawn(program('flood'), ['10'], { stdio: 'ignore' }), 'close')
  await once(spawn('sh', ['-c', `${program('flood')} 10; true`], { stdio: 'ignore' }), 'close')
  observer.send('done')
  const [seen] = (await once(observer, 'message')) as [{ sibling: number; grandchild: number }]
  process.stdout.write(JSON.stringify(seen))
  observer.disconnect()
}

await (role === 'observer' ? counts() : family())
if (role === 'observer') process.disconnect?.()
