export { type ChainCheck, type ChainFault, type ChainSummary, createChainCheck } from './check-chain.ts'
export * from './create-audits.ts'
export type { AuditEntry } from './entry.ts'
export type { AuditSettings, AuditSinkSettings } from './settings.ts'
