export type { Cause, Connector, Failure, Listening, Post, Reply, Waiting } from './connector.ts'
export { type ConnectorPlan, connectors } from './connectors.ts'
export { olderTransport, wordsOfStatus } from './failure-words.ts'
