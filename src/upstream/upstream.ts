export { planUpstream, type UpstreamPlan } from './from-config.ts'
export type { ListEntry } from './list-entry.ts'
export type {
  Follower,
  Sent,
  Upstream,
  UpstreamDeps,
  UpstreamEvents,
  UpstreamSettings,
  UpstreamStatus,
  Watch,
} from './model.ts'
