export { absenceOf } from './absence.ts'
export { type Endpoint, type Gate, held, holderOf } from './endpoint.ts'
export { type CompiledListener, compile, isEventPath, type Snapshot, type SnapshotDeps, socketOf } from './snapshot.ts'
export { maySubscribe, subscribable } from './subscribing.ts'
