// Runs in the guest: loads and attaches the programs as an edge does. Fails with the end of the verifier's log.
import { release } from 'node:os'
import { openLiveSource } from '../../producer/source/live-source.ts'
import { messageOf } from '../../runtime/errors.ts'
import { quiet } from '../bpf/observe.ts'

try {
  const source = await openLiveSource(quiet)
  process.stdout.write(`attached under Linux ${release()}\n`)
  source.close()
} catch (error) {
  process.stdout.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
