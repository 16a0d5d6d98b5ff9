export { readBatch } from './batch.ts'
export { acceptsEvents, checkPost, isModernHead } from './negotiate.ts'
export { type Origin, ReplyStream } from './reply-stream.ts'
export {
  type Absence,
  createTrace,
  edgeEntry,
  noteAbsence,
  noteAnswer,
  noteDenial,
  noteMeta,
  noteRefusal,
  noteRule,
  noteWithheld,
  recordAudit,
  recordOf,
  shownPath,
  type Trace,
} from './trace.ts'
export { asPost, type WellKnown, wellKnownPath } from './well-known.ts'
