export * from './cancellation.ts'
export * from './roster.ts'
export * from './within.ts'
