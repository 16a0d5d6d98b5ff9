export { createKnownLists, noList } from './known-lists.ts'
export type { EntryList } from './list-entries.ts'
export type { ListEntry } from './list-entry.ts'
