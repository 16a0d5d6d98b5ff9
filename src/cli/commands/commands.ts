export type { AuditVerifyOptions } from './audit-verify.ts'
export { check } from './check.ts'
export type { ControllerOptions } from './controller.ts'
export { type RunOptions, run } from './run.ts'
export { type ToolsOptions, tools } from './tools.ts'
export type { TranslateOptions } from './translate.ts'
export type { WhyOptions } from './why.ts'

/** Commands that are loaded with everything that only they need when they are called, so that `run` starts faster. */
export const onDemand = {
  auditVerify: async () => (await import('./audit-verify.ts')).auditVerify,
  controller: async () => (await import('./controller.ts')).controller,
  testDocument: async () => (await import('./test-document.ts')).testDocument,
  translate: async () => (await import('./translate.ts')).translate,
  why: async () => (await import('./why.ts')).why,
}
