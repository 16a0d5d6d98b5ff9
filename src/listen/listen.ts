export { defaultEdgeLimits, type EdgeLimits } from './limits.ts'
export { type EdgeRefusal, type ListenerOptions, type ListenFailure, type OpenListener, openListener } from './open-listener.ts'
export { planTls, type TlsFault, type TlsListener, type TlsPlan, type TlsWarning } from './tls-plan.ts'
