export type { AgentView } from './agent-view.ts'
export { readAgents } from './read-agents.ts'
