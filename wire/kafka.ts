// The one factory of Kafka clients: which library stands behind wire/client.ts is chosen here.
import type { ConnectionOptions, KafkaClient } from './client.ts'
import { createKafkajsClient } from './kafkajs/client.ts'
import { preloadKafkajs } from './kafkajs/library.ts'

/** A client of the cluster that `options.brokers` belong to. It connects when a role needs it. */
export const createKafkaClient = (options: ConnectionOptions): KafkaClient => createKafkajsClient(options)

/** Loads every file of the client library now, for a process about to give up the right to read them. */
export const preloadKafkaClient = (): void => preloadKafkajs()
