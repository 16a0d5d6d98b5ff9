export * from './list-offers.ts'
export * from './tools-report.ts'
