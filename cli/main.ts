// The `ringside` command. Loads the file of one verb only, so that --help and usage errors answer at once. No other
// file of the command ends the process.
import { Command, CommanderError } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import { exitCodeOf, messageOf, RingsideError } from '../runtime/errors.ts'
import { printableLines } from '../runtime/printable.ts'

interface Verb {
  readonly summary: string
  load(): Promise<() => Command>
}

const verbs: Readonly<Record<string, Verb>> = {
  up: {
    summary: 'run everything on this machine: Kafka (unless brokers are configured), edge, consumers, panel',
    load: async () => (await import('./verbs/up.ts')).upCommand
  },
  run: {
    summary: 'run one service: edge, rollups, alerts, audit, panel, or your own handler',
    load: async () => (await import('./verbs/run.ts')).runCommand
  },
  tail: {
    summary: 'print rows of a topic: events, rollups, hosts, alerts, audit',
    load: async () => (await import('./verbs/tail.ts')).tailCommand
  },
  top: {
    summary: 'show a live table of system calls by process, call, workload, container, Go function or host',
    load: async () => (await import('./verbs/top.ts')).topCommand
  },
  verify: {
    summary: "compare the events topic with the edges' ledgers, and report every difference",
    load: async () => (await import('./verbs/verify.ts')).verifyCommand
  },
  doctor: {
    summary: 'check kernel, privileges, Kafka and tools, and say how to fix problems',
    load: async () => (await import('./verbs/doctor.ts')).doctorCommand
  },
  topics: {
    summary: 'create or describe the topics',
    load: async () => (await import('./verbs/topics.ts')).topicsCommand
  }
}

const usageError = 64

const writeUsageError = (text: string, write: (text: string) => void): void => {
  write(
    `ringside: ${text
      .replace(/^error: /, '')
      .trim()
      .replaceAll('\n', ' ')} (see --help)\n`
  )
}

const createProgram = async (asked: string | undefined): Promise<Command> => {
  const program = new Command('ringside')
    .description(
      "A ringside seat at every host's system calls: from the kernel through Kafka to rollups, alerts and an audit log."
    )
    .version(packageJson.version, '-V, --version')
    .addHelpText('after', '\nExample:\n  sudo ringside up --for 30s      observe this machine for half a minute\n')
  for (const [name, verb] of Object.entries(verbs)) {
    if (name === asked) program.addCommand((await verb.load())().summary(verb.summary))
    else program.command(name).summary(verb.summary)
  }
  for (const command of [program, ...program.commands, ...program.commands.flatMap((verb) => verb.commands)]) {
    command.exitOverride().configureOutput({ outputError: writeUsageError })
  }
  return program
}

const report = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageError
  const hint =
    error instanceof RingsideError ? '' : ' (a defect of Ringside; RINGSIDE_LOG_LEVEL=debug prints the stack)'
  process.stderr.write(`ringside: ${printableLines(messageOf(error))}${hint}\n`)
  const wantsStack = process.env['RINGSIDE_LOG_LEVEL'] === 'debug' || process.env['RINGSIDE_LOG_LEVEL'] === 'trace'
  if (wantsStack && error instanceof Error) process.stderr.write(`${printableLines(String(error.stack))}\n`)
  return exitCodeOf(error)
}

// Progress, remarks and warnings that cannot be written, as on a full disk, stop nothing.
process.stderr.on('error', () => {})

const main = async (args: readonly string[]): Promise<number> => {
  try {
    const asked = args.find((arg) => !arg.startsWith('-'))
    const program = await createProgram(asked === 'help' ? args[args.indexOf(asked) + 1] : asked)
    if (args.length === 0) program.help({ error: true })
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return report(error)
  }
}

const exitCode = await main(process.argv.slice(2))
// A closed pipe (`| head`) is no error.
process.stdout.on('error', () => process.exit(exitCode))
// Pipes are written asynchronously: the process ends once the buffer is empty.
process.stdout.write('', () => process.exit(exitCode))
