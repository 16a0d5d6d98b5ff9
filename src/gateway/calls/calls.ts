export { type ClientCalls, createClientCalls } from './client-calls.ts'
export { createSuspendedCalls } from './suspended-calls.ts'
