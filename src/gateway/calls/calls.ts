export { type Calls, createCalls } from './client-calls.ts'
export { createSuspendedCalls } from './suspended-calls.ts'
