export { type EntryList, listEntries } from './list-entries.ts'
export type { ListEntry } from './list-entry.ts'
