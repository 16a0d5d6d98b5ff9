export { createChangeWatch } from './change-watch.ts'
export type { Watch } from './resource-watches.ts'
