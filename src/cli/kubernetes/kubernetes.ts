export * from './controller-listener.ts'
export * from './status-lines.ts'
