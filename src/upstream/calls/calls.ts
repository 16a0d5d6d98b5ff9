export { OpenAsks } from './open-asks.ts'
export { type Calls, createCalls } from './posted-calls.ts'
export { type AskingStream, createServerRequests, type ServerRequests } from './server-requests.ts'
