export { type ExpressionFault, expressionFault, type Scope } from './expression.ts'
export { type Facts, factsOf, type ItemFacts, Mcp, Prompt, Resource, Tool } from './facts.ts'
export { type AccessRule, compileAccess, compileRule, type Effect, type Failure, type ItemRule, type KindRule, type Truth } from './rule.ts'
export type { ItemKind } from './specialise.ts'
