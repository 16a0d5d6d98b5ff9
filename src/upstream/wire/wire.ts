export type { Cause, Connector, Failure, Listening, Post, Reply, Waiting } from './connector.ts'
export { planConnector } from './connectors.ts'
export { olderTransport, wordsOfStatus } from './failure-words.ts'
