import type { Measurement } from './measure.ts'
import { findBase, type Row } from './plan.ts'
import type { Kind } from './requests.ts'

/** The rows as a Markdown table. A figure is the lowest of the rounds; all bad replies are counted. */
export function makeTable(plan: readonly Row[], kinds: readonly Kind[]): string {
  const first = plan[0]?.gateway.name ?? ''
  const costs = kinds.map((kind) => `${kind}, CPU µs (× ${first})`)
  const head = ['clients → servers', 'gateway', ...costs, 'p50 µs, 1 connection', 'ready s', 'RSS MB idle / load', 'bad replies']
  const rule = head.map((_, column) => (column < 2 ? '---' : '--:'))
  return [head, rule, ...plan.map((row) => makeCells(plan, row, kinds))].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function makeCells(plan: readonly Row[], row: Row, kinds: readonly Kind[]): readonly string[] {
  const base = findBase(plan, row)
  const costs = kinds.map((kind) => {
    const cost = lowest(row, ({ cpuUs }) => cpuUs[kind])
    const baseCost = base === undefined ? undefined : lowest(base, ({ cpuUs }) => cpuUs[kind])
    return `${print(cost, 1)} (${print(cost === undefined || baseCost === undefined ? undefined : cost / baseCost, 2)})`
  })
  const p50Us = lowest(row, (one) => one.p50Us)
  const readySeconds = lowest(row, (one) => one.readySeconds)
  const idleMb = lowest(row, (one) => one.idleMb)
  const loadMb = lowest(row, (one) => one.loadMb)
  const bad = row.rounds.reduce((sum, one) => sum + one.bad, 0)
  return [
    `${row.era} → ${row.upstreamEra}`,
    row.gateway.name,
    ...costs,
    print(p50Us, 0),
    print(readySeconds, 2),
    `${print(idleMb, 0)} / ${print(loadMb, 0)}`,
    String(bad),
  ]
}

/** The lowest of the rounds, since what else runs on the machine only ever adds to a figure. */
function lowest({ rounds }: Row, read: (one: Measurement) => number | undefined): number | undefined {
  const figures = rounds.map(read).filter((figure) => figure !== undefined)
  return figures.length === 0 ? undefined : Math.min(...figures)
}

function print(figure: number | undefined, digits: number): string {
  return figure === undefined ? '–' : figure.toFixed(digits)
}
