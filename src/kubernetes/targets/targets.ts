export type { Candidate } from './candidate.ts'
export { readUses, type Uses } from './uses.ts'
