export * from './exit-code.ts'
export * from './print.ts'
export * from './stop-signal.ts'
export * from './version.ts'
