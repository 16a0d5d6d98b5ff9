import type { Finding, KubeObject, Raw, World } from '../objects/objects.ts'
import type { Services } from '../services/services.ts'

/** A server that a target of a backend asks for. */
export interface Candidate {
  readonly name: string
  /** The name of its target, by which policies can refer to it as a section. */
  readonly target: string
  /** The `http` of the document's server. */
  readonly http: Raw
  /** `ns/name` of the Service that it stands behind, if any. */
  readonly service: string | undefined
  /** Services that it may stand behind where that is not certain. Policies for one of them can't be applied, so it is not served then. */
  readonly others: readonly string[]
  /** The `policies` of the target itself. */
  readonly policies: unknown
  /** Whether it comes from a selector. Selectors can find several servers of one name. */
  readonly isSelected: boolean
  /** The places of its parts in the object, for messages. */
  readonly places: Readonly<Record<'whole' | 'name' | 'host' | 'port' | 'path' | 'policies', string>>
}

/** What one or several targets come to. */
export interface TargetsReading {
  /** In the order of the targets. */
  readonly candidates: readonly Candidate[]
  readonly findings: readonly Finding[]
  /** How many ports of Services were selected, which count against the bound of servers. */
  readonly ports?: number
}

/** What a target is read with. */
export interface TargetContext {
  readonly name: string
  readonly place: string
  /** The backend. */
  readonly object: KubeObject
  readonly services: Services
  readonly world: World
  /** Namespaces of the Gateways that lead to the backend. */
  readonly searched: readonly string[]
  /** How many servers may still be selected. */
  readonly room: number
}
