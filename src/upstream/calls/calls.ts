export { OpenAsks } from './open-asks.ts'
export { createPostedCalls, type PostedCalls } from './posted-calls.ts'
export { type AskingStream, createServerRequests, type ServerRequests } from './server-requests.ts'
