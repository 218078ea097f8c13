// The one factory of Kafka clients: it chooses the library behind wire/client.ts.
import type { ConnectionOptions, KafkaClient } from './client.ts'
import { createKafkajsClient } from './kafkajs/client.ts'
import { preloadKafkajs } from './kafkajs/library.ts'

/** A client of the cluster that `options.brokers` belong to. It connects on first use. */
export const createKafkaClient = (options: ConnectionOptions): KafkaClient => createKafkajsClient(options)

/** Loads every file of the client library now, for a process that is about to lose the permission to read them. */
export const preloadKafkaClient = (): void => preloadKafkajs()
