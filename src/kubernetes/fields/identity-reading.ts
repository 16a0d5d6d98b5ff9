import { fragmentErrors, sentenceOf } from '../fragments/fragments.ts'
import type { ObjectRef, Raw } from '../objects/objects.ts'
import type { Services } from '../services/services.ts'
import type { PolicyFault } from './policy-fault.ts'
import type { Referring } from './referenced-text.ts'

/** What a policy's authentication is read with. */
export interface IdentityContext extends Referring {
  /** Whether Secrets may be read. Where not, authentication that needs one lets nobody in. */
  readonly areSecretsRead: boolean
  readonly services: Services
  /** Services, by `ns/name`, that a policy targets. */
  readonly policed: ReadonlySet<string>
  /** The kind of the object that refers to others, for ReferenceGrants. */
  readonly kind: 'AgentgatewayPolicy' | 'AgentgatewayBackend'
}

/** What an authentication comes to. */
export interface IdentityReading {
  /** The `authenticate` of the document; undefined where it is not asked for or can't be put in force. */
  readonly identity: Raw | undefined
  readonly faults: readonly PolicyFault[]
  /** Secrets that it needs. */
  readonly wanted: readonly ObjectRef[]
}

/** The most characters of one policy's `authenticate`: a quarter of what a document holds. */
const maxLength = 256 * 1024

/**
 * Puts together the `authenticate` of the document and has `config` check it.
 * @param placeOf gives the place in the object for a path in `authenticate`, such as `jwt[0].issuer`
 */
export function identityOf(ways: Raw, mode: unknown, placeOf: (path: string) => string): Omit<IdentityReading, 'wanted'> {
  const identity = { mode: mode === 'Optional' ? 'optional' : 'strict', ...ways }
  if (JSON.stringify(identity).length > maxLength)
    return {
      identity: undefined,
      faults: [{ reason: 'Invalid', message: `${placeOf('')} takes more than ${maxLength / 1024} KiB: write less`, closes: true }],
    }
  const servers = { probe: { http: { host: 'probe', port: 1 } } }
  const problems = fragmentErrors({ backends: { probe: { servers, policies: { authenticate: identity } } } })
  if (problems.length === 0) return { identity, faults: [] }
  const faults = problems.map((problem) => {
    const path = problem.path.replace(/^backends\.probe\.policies\.authenticate\.?/, '')
    return { reason: 'Invalid', message: `${placeOf(path)}: ${sentenceOf(problem)}`, closes: true }
  })
  return { identity: undefined, faults }
}

/** The fault of authentication whose Secret is not read yet. It closes, as nobody can be let in. */
export function unlooked(place: string): PolicyFault {
  const message = `${place}: what it names is looked at once a Gateway of mcplex serves what the policy is for`
  return { reason: 'Pending', message, closes: true }
}
