import type { Item } from '../mcp/mcp.ts'
import { type Asking, type Pass, type Policy, type PolicySight, unasked, type Verdict, type Word } from './seam.ts'

/** The policies of one way as if they were one: they are asked in their order, and the first that refuses decides. */
export interface Policies {
  readonly all: readonly Policy[]
  /** Undefined: everybody may come in. */
  readonly admit: ((asking: Asking) => Word) | undefined
  /** Undefined: nothing is hidden from anybody. */
  readonly sight: PolicySight | undefined
  /** Undefined: nothing that is seen is refused to anybody. */
  readonly call: ((asking: Asking, item: Item, method: string, args: string | undefined) => Word) | undefined
}

/** @param all in the order asked */
export function askTogether(all: readonly Policy[]): Policies {
  return {
    all,
    admit: inTurn(all.flatMap(({ admit }) => admit ?? [])),
    sight: sightOf(all.flatMap(({ sight }) => sight ?? [])),
    call: inTurn(all.flatMap(({ call }) => call ?? [])),
  }
}

const pass: Pass = { kind: 'pass' }

/** The first word that refuses, else the last that lets pass by a rule. One hook alone is asked itself, so that it costs no more. */
function inTurn<Given extends readonly unknown[]>(hooks: readonly ((...given: Given) => Word)[]): ((...given: Given) => Word) | undefined {
  if (hooks.length < 2) return hooks[0]
  return (...given) => {
    let last = pass
    for (const hook of hooks) {
      const said = hook(...given)
      if (said.kind === 'refused') return said
      if (said.by !== undefined) last = said
    }
    return last
  }
}

function sightOf(sights: readonly PolicySight[]): PolicySight | undefined {
  if (sights.length < 2) return sights[0]
  return {
    sees(asking, item) {
      let together = unasked
      for (const sight of sights) {
        const said = sight.sees(asking, item)
        if (!said.isAllowed) return said
        together = both(together, said)
      }
      return together
    },
    reaches: (asking, backend, server, kind) => sights.every((sight) => sight.reaches(asking, backend, server, kind)),
    isByCaller: sights.every((sight) => sight.isByCaller),
  }
}

/** Of two that allow. */
function both(first: Verdict, second: Verdict): Verdict {
  return { isAllowed: true, mayBeRefused: first.mayBeRefused || second.mayBeRefused, by: second.by ?? first.by }
}
