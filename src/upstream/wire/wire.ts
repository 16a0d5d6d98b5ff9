export type { Cause, Connector, Listening, Post, Reply, Waiting } from './connector.ts'
export { type ConnectorPlan, connectors } from './connectors.ts'
