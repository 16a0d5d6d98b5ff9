export { check, type Report } from './check.ts'
export { checkWhole } from './check-whole.ts'
