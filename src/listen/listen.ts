export { defaultEdgeLimits, type EdgeLimits } from './limits.ts'
export type { EdgeRefusal, ListenerOptions, ListenFailure, OpenListener } from './listener.ts'
export { openListener } from './open-listener.ts'
export { planTls, type TlsFault, type TlsListener, type TlsPlan, type TlsWarning } from './tls-plan.ts'
