import type { Finding, KubeObject, Raw, World } from '../objects/objects.ts'
import type { Services } from '../services/services.ts'

/** A server that a target asks for. */
export interface Candidate {
  readonly name: string
  /** Of the target, which policies may name. */
  readonly target: string
  readonly http: Raw
  /** `ns/name` of the Service that it is behind. */
  readonly service: string | undefined
  /** Services that it may be behind instead: what policies say of one of them closes it. */
  readonly others: readonly string[]
  /** The `policies` of the target itself. */
  readonly policies: unknown
  /** Whether a Service was selected, which may lead to several servers of one name. */
  readonly isSelected: boolean
  /** Where its parts are written. */
  readonly places: Readonly<Record<'whole' | 'name' | 'host' | 'port' | 'path' | 'policies', string>>
}

export interface TargetsReading {
  /** In the order of the targets. */
  readonly candidates: readonly Candidate[]
  readonly findings: readonly Finding[]
  /** How many ports of Services were looked at. */
  readonly ports?: number
}

export interface TargetContext {
  readonly name: string
  readonly place: string
  /** The backend. */
  readonly object: KubeObject
  readonly services: Services
  readonly world: World
  /** Namespaces of the Gateways from which the backend is reached. */
  readonly searched: readonly string[]
  /** How many servers may still be selected. */
  readonly room: number
}
