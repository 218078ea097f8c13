// Example of a handler: publishes each failed connect to the topic "failed-connects", as JSON.
//
//   ringside run ./examples/handlers/failed-connects.ts
import type { HandlerFunction, Output } from '../../consumer/handler.ts'

const failedConnects: HandlerFunction = (batch) =>
  batch.events
    .filter(({ syscall, ret }) => syscall === 'connect' && ret < 0)
    .map((event): Output => {
      const process = batch.processes[event.process]
      const value = { host: batch.host, pid: process?.pid, comm: process?.comm, errno: -event.ret }
      return { to: 'topic', topic: 'failed-connects', key: batch.host, value }
    })

export default failedConnects
