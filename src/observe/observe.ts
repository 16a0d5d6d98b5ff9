export * from './audit/audit.ts'
export * from './log/log.ts'
export * from './metrics/metrics.ts'
export { escapeJson, escapeUnsafe, type Outcome, type RequestRecord, type TextStream } from './records/records.ts'
