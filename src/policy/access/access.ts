import { compileAccess, factsOf } from '../../cel/cel.ts'
import { type Caller, refuse } from '../../mcp/mcp.ts'
import type { Asking, DecidingRule, Policy, Word } from '../seam.ts'
import type { AccessSettings } from './settings.ts'

/** Lets only those use an agent for whom its rule holds. A rule that can not be computed for a caller keeps that one out. */
export function createAccessPolicy({ agent, rule: text, place }: AccessSettings): Policy {
  const rule = compileAccess(text)
  const known = new WeakMap<Caller, Word>() // forgets with the caller
  const refusal = refuse('access', `this caller may not use agent "${agent}": its \`access\` says no`)
  const by = (because: DecidingRule['because']): DecidingRule => ({ place, text, because })
  const allowed: Word = { kind: 'pass', by: by('allowed') }
  const refused: Word = { ...refusal, by: by('not-allowed') }
  const failed: Word = { ...refusal, by: by('error') }

  function judge({ caller, head }: Asking): Word {
    const truth = rule.holds(factsOf(caller, head))
    if (typeof truth !== 'boolean') return failed
    return truth ? allowed : refused
  }

  return {
    name: 'access',
    admit(asking) {
      if (rule.needsRequest) return judge(asking)
      const before = known.get(asking.caller)
      if (before !== undefined) return before
      const word = judge(asking)
      known.set(asking.caller, word)
      return word
    },
    explain: () => [],
  }
}
