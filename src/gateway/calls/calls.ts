export { type Calls, createCalls } from './client-calls.ts'
export { createSuspensions } from './suspensions.ts'
