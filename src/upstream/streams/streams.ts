export { type Follower, follow } from './follow.ts'
export { openSharedStream } from './shared-stream.ts'
