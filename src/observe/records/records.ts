export * from './escape.ts'
export * from './record.ts'
export { createRequestMembers } from './request-line.ts'
export * from './sink.ts'
