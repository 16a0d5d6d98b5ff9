export { configSchema, writtenBy } from './config-schema.ts'
export { documentSchema } from './document-schema.ts'
export { foldName } from './texts.ts'
