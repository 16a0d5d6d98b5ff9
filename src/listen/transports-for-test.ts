import assert from 'node:assert/strict'
import { makeAuthority } from './certificate-for-test.ts'
import type { EdgeLimits } from './limits.ts'
import type { ListenerOptions } from './listener.ts'
import { openForTest as openPlain, type TestListener } from './open-for-test.ts'
import { type Speaker, speak as speakPlain } from './speak-for-test.ts'
import { planTls, type TlsListener, type TlsPlan } from './tls-plan.ts'

/** A way to reach a listener, plain or over TLS; tests of the edge run over both. */
interface Transport {
  readonly over: 'HTTP' | 'HTTPS'
  /** Short enough for a test to wait for, long enough for a handshake. */
  readonly headTimeoutMs: number
  openForTest(limits?: Partial<EdgeLimits>, options?: Partial<ListenerOptions>): Promise<TestListener>
  speak(port: number, bytes?: string): Promise<Speaker>
}

const authority = makeAuthority('Test authority')
const shown = authority.issue({ alternativeNames: ['IP:127.0.0.1'], use: 'server' })

export const transports: readonly Transport[] = [
  { over: 'HTTP', headTimeoutMs: 100, openForTest: openPlain, speak: speakPlain },
  {
    over: 'HTTPS',
    headTimeoutMs: 1000,
    openForTest: async (limits, options) => openPlain(limits, { tls: await planForTest([{ certificates: [shown] }]), ...options }),
    speak: (port, bytes) => speakPlain(port, bytes, { ca: authority.cert }),
  },
]

/** A TLS plan; fails the test where it can't be made. */
export async function planForTest(
  listeners: readonly (Partial<TlsListener> & Pick<TlsListener, 'certificates'>)[],
  now = Date.now(),
): Promise<TlsPlan> {
  const full = listeners.map((listener) => ({ name: 'test', hostname: undefined, clientCa: undefined, ...listener }))
  const plan = await planTls(full, now)
  assert.ok(plan.kind === 'plan', plan.kind === 'fault' ? plan.text : '')
  return plan
}
