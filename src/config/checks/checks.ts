export { check } from './check.ts'
export { checkWhole } from './check-whole.ts'
export type { Report } from './checking.ts'
