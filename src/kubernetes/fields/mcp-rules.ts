import { type Raw, valueAt } from '../objects/objects.ts'
import type { IdentityContext } from './identity-reading.ts'
import type { PolicyFault } from './policy-fault.ts'
import { type RuleSet, readRules } from './rule-sets.ts'
import { readLogin } from './token-issuers.ts'

/** What the `mcp` of a policy's `backend` comes to. */
export interface McpReading {
  readonly itemRules: RuleSet | undefined
  /** The `authenticate` of the document; undefined where nothing is asked for. */
  readonly login: Raw | undefined
  readonly faults: readonly PolicyFault[]
}

/**
 * Reads the `mcp` of a policy's `backend`, or of a backend's own `policies`. Fields that have no effect are reported by `leftOut`, not
 * here.
 */
export function readMcp(mcp: unknown, namespace: string, place: string, from: IdentityContext): McpReading {
  const authorization = readRules(valueAt(mcp, 'authorization'), 'item', `${place}.authorization`)
  const authentication = readLogin(valueAt(mcp, 'authentication'), namespace, `${place}.authentication`, from)
  return {
    itemRules: authorization.rules,
    login: authentication.identity,
    faults: [...authorization.faults, ...authentication.faults],
  }
}
