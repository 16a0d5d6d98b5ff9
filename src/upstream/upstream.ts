export type { Sent, Upstream, UpstreamDeps, UpstreamEvents, UpstreamSettings, UpstreamStatus } from './create-upstream.ts'
export { planUpstream, type UpstreamPlan } from './from-config.ts'
export type { ToolEntry } from './tool-entry.ts'
