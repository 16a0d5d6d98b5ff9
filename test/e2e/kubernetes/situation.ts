import type { Manifest } from './manifests.ts'
import type { Saying } from './scene.ts'

/** Something that a user does to the post's objects, what the controller then says, and what of them is then served. */
export interface Situation {
  readonly name: string
  readonly stages: readonly Stage[]
}

export interface Stage {
  /** By `kubectl apply`. */
  readonly apply?: readonly Manifest[]
  /** By `kubectl delete`. */
  readonly remove?: readonly Manifest[]
  /** What the API server says to that: then nothing changes. */
  readonly refused?: RegExp
  readonly says?: readonly Saying[]
  /** The Secret's document, as `summaryOf` tells it; `none`: there is no Secret. */
  readonly serves: readonly string[] | 'none'
}

/** Lines of `summaryOf`: the post's listener, and its rule. */
export const open = 'http:8080'
export const served = 'mcp-route on http: / → mcp-backend (math-mcp-server, date-mcp-server)'
/** What the post's own objects come to. */
export const thePost = [open, served]
/** The listener, and the rule as it is answered for that reason. */
export const broken = (reason: string): readonly string[] => [open, `mcp-route on http: / → 500: ${reason}`]
export const lost = broken('this route leads to something that is not there')
export const unsupported = broken('this route asks for something that is not supported')

/** What holds when all is as in the post. */
export const allIsWell: readonly Saying[] = [
  ['Gateway agentgateway', 'Accepted True Accepted', 'all its listeners are served'],
  ['Gateway agentgateway', 'Programmed False AddressNotAssigned', 'kubectl port-forward -n kgateway-system svc/agentgateway 8080'],
  ['Gateway agentgateway http', 'Accepted True Accepted'],
  ['Gateway agentgateway http', 'Programmed False Pending'],
  ['Gateway agentgateway http', 'ResolvedRefs True ResolvedRefs'],
  ['Gateway agentgateway http', 'Conflicted False NoConflicts'],
  ['HTTPRoute mcp-route', 'Accepted True Accepted', 'attached to listener http of Gateway kgateway-system/agentgateway'],
  ['HTTPRoute mcp-route', 'ResolvedRefs True ResolvedRefs'],
  ['Backend mcp-backend', 'Accepted True Accepted', 'serves 2 servers'],
  ['Backend mcp-backend', 'ResolvedRefs True ResolvedRefs'],
]

/** One of a single stage. */
export const when = (name: string, stage: Stage): Situation => ({ name, stages: [stage] })
