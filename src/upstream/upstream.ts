export { planUpstream, type UpstreamPlan } from './from-config.ts'
export type { Sent, Upstream, UpstreamDeps, UpstreamEvents, UpstreamSettings, UpstreamStatus } from './model.ts'
export type { ToolEntry } from './tool-entry.ts'
