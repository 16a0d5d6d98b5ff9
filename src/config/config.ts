export { expand, type Parsed, type ParseSource, parseConfig, parsePlain, printConfig, redactConfig } from './document/document.ts'
export { configSchema } from './keys/keys.ts'
export * from './model/model.ts'
export { type Problem, type ProblemCode, problemCodes } from './problems/problems.ts'
export { configurationPage, jsonSchema, problemsJson, type RenderOptions, renderProblems } from './rendering/rendering.ts'
export type { Key, Origin } from './schema/schema.ts'
export * from './sources/sources.ts'
export { documentBounds, formatPath } from './tree/tree.ts'
export {
  type Address,
  durationMs,
  escapeReferences,
  formatAddress,
  headerLimit,
  isLoopback,
  parseAddress,
  type ReferenceSource,
  resolveSecret,
  sizeBytes,
  targetUrl,
  urlFault,
} from './values/values.ts'
