import type { Item } from '../mcp/mcp.ts'
import { type Asking, type Decision, type Pass, type Policy, type PolicySight, unasked, type Verdict } from './seam.ts'

/** The policies on one way as one: they are asked in their order, and the first that refuses decides. */
export interface Policies {
  readonly all: readonly Policy[]
  /** Undefined: every caller is admitted. */
  readonly admit: ((asking: Asking) => Decision) | undefined
  /** Undefined: nothing is hidden from anybody. */
  readonly sight: PolicySight | undefined
  /** Undefined: whatever a caller sees may be used. */
  readonly call: ((asking: Asking, item: Item, method: string, args: string | undefined) => Decision) | undefined
}

/**
 * Combines policies.
 * @param all in the order in which they are asked
 */
export function askTogether(all: readonly Policy[]): Policies {
  return {
    all,
    admit: inTurn(all.flatMap(({ admit }) => admit ?? [])),
    sight: sightOf(all.flatMap(({ sight }) => sight ?? [])),
    call: inTurn(all.flatMap(({ call }) => call ?? [])),
  }
}

const pass: Pass = { kind: 'pass' }

/**
 * Combines hooks: the first refusal decides, else the last that passed by a rule. A single hook is returned itself, so that it costs no
 * more.
 */
function inTurn<Given extends readonly unknown[]>(
  hooks: readonly ((...given: Given) => Decision)[],
): ((...given: Given) => Decision) | undefined {
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

/** Combines two verdicts that allow. */
function both(first: Verdict, second: Verdict): Verdict {
  return { isAllowed: true, mayBeRefused: first.mayBeRefused || second.mayBeRefused, by: second.by ?? first.by }
}
