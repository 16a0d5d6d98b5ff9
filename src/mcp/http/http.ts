export * from './exchange.ts'
export * from './metadata-host.ts'
export * from './sse.ts'
