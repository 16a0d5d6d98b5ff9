export { createRootsNotices } from './roots-notices.ts'
export { createSessions, type Sessions } from './server-sessions.ts'
export type { OpenSession } from './session-pool.ts'
