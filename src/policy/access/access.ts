import { compileAccess, factsOf } from '../../cel/cel.ts'
import { type Caller, refuse } from '../../mcp/mcp.ts'
import type { Asking, DecidingRule, Decision, Policy } from '../seam.ts'
import type { AccessSettings } from './settings.ts'

/** Admits to an agent only callers for whom its rule holds. A caller for whom the rule fails is refused. */
export function createAccessPolicy({ agent, rule: text, place }: AccessSettings): Policy {
  const rule = compileAccess(text)
  const known = new WeakMap<Caller, Decision>() // entries go when their caller is collected
  const refusal = refuse('access', `this caller may not use agent "${agent}": its \`access\` says no`)
  const by = (because: DecidingRule['because']): DecidingRule => ({ place, text, because })
  const allowed: Decision = { kind: 'pass', by: by('allowed') }
  const refused: Decision = { ...refusal, by: by('not-allowed') }
  const failed: Decision = { ...refusal, by: by('error') }

  function judge({ caller, head }: Asking): Decision {
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
      const decision = judge(asking)
      known.set(asking.caller, decision)
      return decision
    },
    explain: () => [],
  }
}
