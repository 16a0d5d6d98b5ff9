export * from './create-metrics.ts'
export type { SinkState } from './state-metrics.ts'
