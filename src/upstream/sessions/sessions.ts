export { createRootsNotices } from './roots-notices.ts'
export { createServerSessions, type ServerSessions } from './server-sessions.ts'
export type { OpenSession } from './session-pool.ts'
