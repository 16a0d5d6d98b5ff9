export * from './http/http.ts'
export * from './json/json.ts'
export * from './protocol/protocol.ts'
export * from './work/work.ts'
