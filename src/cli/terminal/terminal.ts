export * from './exit-code.ts'
export * from './print.ts'
export * from './signals.ts'
export * from './version.ts'
