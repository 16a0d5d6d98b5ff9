import type { Catalog, Sight } from '../../catalog/catalog.ts'
import type { Endpoint as Edge } from '../../era/era.ts'
import type { Caller, Head } from '../../mcp/mcp.ts'
import type { PolicySight } from '../../policy/policy.ts'
import { type Endpoint, edgeOf, type Gate } from './endpoint.ts'

/** An endpoint's catalogue as one caller sees it, and what an era is to know of that. */
export interface CallerView {
  readonly catalog: Catalog
  readonly endpoint: Edge
}

/** What callers see behind gates. A view that is the same for all requests of its caller is remembered for a while. */
export interface CallerViews {
  of(target: Endpoint, gate: Gate, sight: PolicySight, caller: Caller, head: Head): CallerView
}

/** Views that are remembered, of all callers and gates together: about 3 KB each. The least recently used half is forgotten at a time. */
const maxViews = 4096

type Generation = WeakMap<Caller, Map<Gate, CallerView>>

/** @param max how many views are remembered */
export function createCallerViews(max = maxViews): CallerViews {
  let young: Generation = new WeakMap()
  let old: Generation = new WeakMap()
  let count = 0

  function remember(caller: Caller, gate: Gate, view: CallerView): CallerView {
    if (count >= max / 2) {
      old = young
      young = new WeakMap()
      count = 0
    }
    const views = young.get(caller)
    if (views === undefined) young.set(caller, new Map([[gate, view]]))
    else views.set(gate, view)
    count++
    return view
  }

  return {
    of(target, gate, sight, caller, head) {
      if (!sight.isByCaller) return viewOf(target, sight, caller, head)
      return young.get(caller)?.get(gate) ?? remember(caller, gate, old.get(caller)?.get(gate) ?? viewOf(target, sight, caller, noHead))
    },
  }
}

/** For rules that do not look at the request: a request's own head holds its credential, which no view is to keep. */
const noHead: Head = { method: '', path: '', query: '', host: '', listener: '', remote: '', header: () => undefined }

function viewOf(target: Endpoint, sight: PolicySight, caller: Caller, head: Head): CallerView {
  const asking = { caller, head }
  const seen: Sight = {
    sees: (item) => sight.sees(asking, item).isAllowed,
    reaches: (backend, server, kind) => sight.reaches(asking, backend, server, kind),
  }
  const catalog = target.catalog.seenBy(seen)
  return { catalog, endpoint: edgeOf(target.endpoint, catalog, target.instructions) }
}
