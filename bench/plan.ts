import type { Gateway } from './gateways.ts'
import type { Measurement } from './measure.ts'
import type { Era } from './requests.ts'

/** One row of the table: a gateway between clients of one era and servers of one era. */
export interface Row {
  readonly gateway: Gateway
  readonly era: Era
  readonly upstreamEra: Era
  /** One a round; a round in which the gateway could not be measured has none. */
  readonly rounds: Measurement[]
}

/** Every row to measure, by pairing. What can't bridge stands once for each era of the clients, before servers of that era, whichever servers were asked for. */
export function makePlan(gateways: readonly Gateway[], eras: readonly Era[], upstreamEras: readonly Era[]): readonly Row[] {
  return eras.flatMap((era, i) => [
    ...gateways.filter(({ pairings }) => pairings === 'equal').map((gateway) => ({ gateway, era, upstreamEra: era, rounds: [] })),
    ...upstreamEras.flatMap((upstreamEra, j) =>
      gateways
        .filter(
          ({ pairings }) =>
            pairings === 'all' || (pairings === 'first' && i === 0 && j === 0) || (pairings === 'same' && era === upstreamEra),
        )
        .map((gateway) => ({ gateway, era, upstreamEra, rounds: [] })),
    ),
  ])
}

/** The row that another's ratios are taken to: the run's first gateway in the same pairing, or, where it can't bridge, with clients of the same era. */
export function findBase(plan: readonly Row[], { era, upstreamEra }: Row): Row | undefined {
  const first = plan[0]?.gateway
  return plan.find((row) => row.gateway === first && row.era === era && (first.pairings === 'equal' || row.upstreamEra === upstreamEra))
}
