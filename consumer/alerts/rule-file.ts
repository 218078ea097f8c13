// The schema of a rule file.
import { z } from 'zod'
import { isNetwork } from './networks.ts'
import { eventNames } from './rule-events.ts'
import { type Field, fields } from './subject.ts'

const fieldName = z.enum(fields as [Field, ...Field[]])
const port = z.int().min(0).max(65_535)
const endpoint = z
  .string()
  .regex(/^(\d{1,3}\.){3}(\d{1,3}|\*):\d{1,5}$/, 'must be an IPv4 address and a port: 10.0.0.1:80')

const testEvent = z.strictObject({
  /** One of eventNames. */
  event: z.string(),
  /** Seconds after the event before. */
  after: z.number().min(0).default(0),
  times: z.int().min(1).default(1),
  /** Seconds between the times. */
  every: z.number().min(0).default(0),
  ret: z.int().default(0),
  local: endpoint.optional(),
  /** An asterisk as the last number counts 1, 2, 3 … 250, 1 … */
  remote: endpoint.optional(),
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
  /** Of sendmmsg and messages: the number of messages. */
  messages: z.int().min(1).optional(),
  pid: z.int().min(1).default(1000),
  ppid: z.int().min(0).default(1),
  comm: z.string().default('program'),
  exe: z.string().default('/usr/bin/program'),
  container: z.string().optional(),
  path: z.string().optional(),
  pathTo: z.string().optional(),
  pathGiven: z.string().optional(),
  pathOpened: z.boolean().default(false),
  pathTruncated: z.boolean().default(false),
  pathDeleted: z.boolean().default(false),
  /** The number that flags and request are the names of. */
  arg: z.int().min(-1).default(-1),
  targetPid: z.int().min(-1).default(-1),
  addressGiven: z.boolean().default(false),
  /** Another thread rewrote the address during the call. */
  argumentChanged: z.boolean().default(false),
  /** Start of the process, in seconds after the observation of the host began; negative for an older process. */
  began: z.number().default(1)
})

const testCase = z.strictObject({
  name: z.string().min(1),
  /** Number of alerts that the events raise. */
  raises: z.int().min(0),
  events: z.array(testEvent).min(1)
})

const allowEntry = z
  .strictObject({
    networks: z.array(z.string().refine(isNetwork, 'must be an address or a network such as 10.0.0.0/8')).optional(),
    exes: z.array(z.string().min(1)).optional(),
    localPorts: z.array(port).optional(),
    remotePorts: z.array(port).optional(),
    reason: z.string().min(1)
  })
  .refine(({ reason: _, ...lists }) => Object.values(lists).some((list) => list !== undefined && list.length > 0), {
    error: 'must have networks, exes, localPorts or remotePorts'
  })

export const ruleFile = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/, 'must have lower-case letters, digits and "_" only, and begin with a letter'),
  version: z.int().min(1),
  title: z.string().min(1),
  attack: z
    .string()
    .regex(/^T\d{4}(\.\d{3})?$/, 'must be an ATT&CK technique such as T1046 or T1059.004')
    .optional(),
  severity: z.enum(['notice', 'warning', 'critical']),
  description: z.string().min(1),
  falsePositives: z.array(z.string().min(1)),
  /** The condition is evaluated for these events only. */
  events: z.array(z.enum(eventNames)).min(1),
  allow: z.array(allowEntry).default([]),
  condition: z.string().min(1),
  /** The fields whose values a threshold is counted by. */
  entity: z.array(fieldName).min(1).default(['workload', 'exe']),
  threshold: z
    .strictObject({
      count: z.int().min(1).max(100_000),
      /** Bounded, since a restart reads as many seconds again. */
      windowSeconds: z.int().min(1).max(600),
      /** Counts different values of this field instead of events. */
      distinct: fieldName.optional(),
      /** Adds up this field instead of counting events. */
      sum: z.enum(['messages']).optional()
    })
    .refine(({ distinct, sum }) => distinct === undefined || sum === undefined, {
      error: 'must not have both distinct and sum'
    }),
  /** Seconds without a match that end an alert: a later match belongs to another alert. */
  cooldownSeconds: z.int().min(1),
  explanation: z.string().min(1),
  tests: z.array(testCase)
})

export type RuleFile = z.infer<typeof ruleFile>
export type RuleTest = z.infer<typeof testCase>
export type RuleTestEvent = z.infer<typeof testEvent>
