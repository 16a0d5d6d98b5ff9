export * from './agents-report.ts'
export * from './list-offers.ts'
export * from './tools-report.ts'
