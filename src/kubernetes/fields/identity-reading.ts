import { fragmentErrors, sentenceOf } from '../fragments/fragments.ts'
import type { ObjectRef, Raw } from '../objects/objects.ts'
import type { Services } from '../services/services.ts'
import type { PolicyFault } from './policy-fault.ts'
import type { Referring } from './referenced-text.ts'

/** What is known beside a policy that says who callers must prove to be. */
export interface IdentityContext extends Referring {
  /** Without it no Secret is looked at, and what needs one lets nobody in. */
  readonly areSecretsRead: boolean
  readonly services: Services
  /** Services, by `ns/name`, for which a policy says how they are called. */
  readonly policed: ReadonlySet<string>
  /** Whose references they are: the kind of the object. */
  readonly kind: 'AgentgatewayPolicy' | 'AgentgatewayBackend'
}

export interface IdentityReading {
  /** `authenticate` of a document; undefined where a fault closes. */
  readonly identity: Raw | undefined
  readonly faults: readonly PolicyFault[]
  readonly wanted: readonly ObjectRef[]
}

/** Characters of what one policy says of identity: a quarter of what a document holds. */
const maxLength = 256 * 1024

/**
 * The `authenticate` of a document, if `config` takes it.
 * @param placeOf the place in the object of a path in it, such as `jwt[0].issuer`
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

export function unlooked(place: string): PolicyFault {
  const message = `${place}: what it names is looked at once a Gateway of mcplex serves what the policy is for`
  return { reason: 'Pending', message, closes: true }
}
