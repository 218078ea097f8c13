// Creates the missing topics, or describes the topics.
import { Command } from 'commander'
import { formatCount } from '../../runtime/format-number.ts'
import { topicSpecifications } from '../../wire/topics.ts'
import { connect } from '../connect.ts'
import {
  addCommonOptions,
  type CommonOptions,
  chosenFormat,
  configFrom,
  type Format,
  formatArgument,
  integerArgument
} from '../options.ts'
import { Output } from '../terminal/output.ts'
import { quietLog } from '../terminal/quiet-log.ts'
import { formatTable } from '../terminal/table.ts'

interface TopicsOptions extends CommonOptions {
  readonly partitions?: number
  readonly replicas?: number
  readonly format?: Format
}

const create = async (options: TopicsOptions): Promise<void> => {
  const config = configFrom(options, { kafka: { partitions: options.partitions, replicas: options.replicas } })
  const client = await connect(config, 'topics', quietLog('topics'))
  const specifications = topicSpecifications(config)
  const created = new Set(await client.ensureTopics(specifications))
  const output = new Output()
  for (const { name, partitions, replicas, settings } of specifications) {
    const row = { name, created: created.has(name), partitions, replicas, settings }
    if (chosenFormat(options.format, process.stdout) === 'json') await output.json(row)
    else await output.line(`${name}: ${row.created ? `created, ${partitions} partition(s)` : 'exists, unchanged'}`)
  }
}

const describe = async (options: TopicsOptions): Promise<void> => {
  const config = configFrom(options)
  const client = await connect(config, 'topics', quietLog('topics'))
  const wanted = topicSpecifications(config).map(({ name }) => name)
  const found = new Map((await client.describeTopics(wanted)).map((topic) => [topic.name, topic]))
  const output = new Output()
  if (chosenFormat(options.format, process.stdout) === 'json') {
    for (const name of wanted) {
      const topic = found.get(name)
      const row = {
        name,
        exists: topic !== undefined,
        partitions: topic?.partitions ?? null,
        replicas: topic?.replicas ?? null,
        minInsyncReplicas: topic?.minInsyncReplicas ?? null
      }
      await output.json({ ...row, messages: topic === undefined ? null : Number(topic.messages) })
    }
    return
  }
  const rows = wanted.map((name) => {
    const topic = found.get(name)
    if (topic === undefined) return [name, 'missing', '', '', '']
    const { partitions, replicas, minInsyncReplicas, messages } = topic
    return [name, ...[partitions, replicas, minInsyncReplicas ?? ''].map(String), formatCount(Number(messages))]
  })
  const right = { align: 'right' } as const
  const columns = [
    { title: 'topic' },
    { title: 'partitions', ...right },
    { title: 'replicas', ...right },
    { title: 'min in sync', ...right },
    { title: 'messages', ...right }
  ]
  for (const line of formatTable(columns, rows, output.width)) await output.line(line)
}

export const topicsCommand = (): Command => {
  const verb = new Command('topics').description('Create or describe the topics.')
  const addOptions = (command: Command): Command =>
    addCommonOptions(command).option(
      '--format <format>',
      'table or json (default: table on a terminal)',
      formatArgument
    )
  addOptions(verb.command('create').description('Create the missing topics; existing ones are not changed.'))
    .option('--partitions <n>', 'partitions of each new topic', integerArgument(1))
    .option('--replicas <n>', 'replicas of each new topic', integerArgument(1))
    .addHelpText('after', '\nExample:\n  ringside topics create --brokers kafka1:9092 --partitions 12 --replicas 3\n')
    .action(create)
  addOptions(verb.command('describe').description('Show partitions, replicas and messages of each topic.'))
    .addHelpText('after', '\nExample:\n  ringside topics describe --format json\n')
    .action(describe)
  return verb.addHelpText('after', '\nExample:\n  ringside topics describe\n')
}
