export { expand } from './expand.ts'
export { type Parsed, type ParseSource, parseConfig, parsePlain } from './parse.ts'
export { printConfig, redactConfig } from './print.ts'
