export { documentOf } from './gateway-document.ts'
export { type Reachable, type RuleTarget, targetOf } from './rule-target.ts'
