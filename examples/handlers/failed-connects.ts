// Example of a handler: publishes each failed connect to the topic "failed-connects", as JSON. A connect that returned
// EINPROGRESS has not failed; its connect_outcome has the result.
//
//   ringside run ./examples/handlers/failed-connects.ts
import type { HandlerFunction, Output } from '../../consumer/handler.ts'
import { errnoName } from '../../wire/errno.ts'
import type { Event } from '../../wire/types.ts'
import { verdictOfEvent } from '../../wire/verdict.ts'

const isConnect = ({ kind, syscall }: Event): boolean => syscall === 'connect' || kind === 'connect_outcome'

const failedConnects: HandlerFunction = (batch) =>
  batch.events
    .filter((event) => isConnect(event) && verdictOfEvent(event) === 'failed')
    .map((event): Output => {
      const process = batch.processes[event.process]
      const value = { host: batch.host, pid: process?.pid, comm: process?.comm, errno: errnoName(event.ret) }
      return { to: 'topic', topic: 'failed-connects', key: batch.host, value }
    })

export default failedConnects
