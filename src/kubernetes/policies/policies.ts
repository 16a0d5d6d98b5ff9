export type { Policies, PolicyEffect } from './policy-effect.ts'
export { readPolicies } from './read-policies.ts'
