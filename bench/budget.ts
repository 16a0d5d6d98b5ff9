import type { Row } from './plan.ts'
import type { Kind } from './requests.ts'

/** By how much JWT, rules and audit together may multiply the CPU time of a call. */
const budget = 1.5

/** What calls cost with identity as multiples of those of the bare gateway beside it, and whether that is within the budget: a line for each pairing. */
export function judgeIdentity(plan: readonly Row[]): string {
  const lines = plan
    .filter(({ gateway, rounds }) => gateway.bare !== undefined && rounds.length > 0)
    .map(
      (row) =>
        `${row.era} → ${row.upstreamEra}: a call ${inWords(row, 'call')}; where a rule looks at its arguments ${inWords(row, 'judged')}\n`,
    )
  return lines.length === 0 ? '' : `\nJWT (cached), three rules and audit, × the bare call; the budget is ${budget}:\n${lines.join('')}`
}

/** The mean of the rounds: both gateways ran at the same time, so noise takes no side. */
function inWords({ rounds }: Row, kind: Kind): string {
  const ratios = rounds.flatMap(({ cpuUs: { [kind]: own }, bareCpuUs: { [kind]: bare } }) =>
    own === undefined || bare === undefined ? [] : [own / bare],
  )
  if (ratios.length === 0) return 'not measured'
  const ratio = ratios.reduce((sum, one) => sum + one, 0) / ratios.length
  return `${ratio.toFixed(2)}, ${ratio <= budget ? 'within' : 'OVER'}`
}
