export { createChangeStreams, type Revisions } from './change-streams.ts'
export { createStreams, type Streams } from './client-streams.ts'
