import type { Metric, Registry } from 'prom-client'

/** The observations of one set of labels. */
export interface DurationSeries {
  observe(seconds: number): void
}

interface Counts {
  /** Observations in each bucket, not cumulated; the last bucket is beyond all bounds. */
  readonly buckets: number[]
  sum: number
  count: number
  readonly labels: Readonly<Record<string, string>>
}

/**
 * A Prometheus histogram whose `observe` only adds numbers. prom-client's own validates and copies its labels at each observation, which
 * costs more than all other measurements of a request together.
 */
export class DurationHistogram {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly #bounds: readonly number[]
  readonly #series: Counts[] = []

  constructor(name: string, help: string, bounds: readonly number[], registers: readonly Registry[]) {
    this.name = name
    this.help = help
    this.#bounds = bounds
    for (const registry of registers) registry.registerMetric(this as unknown as Metric)
  }

  /** Adds a series; the caller keeps it and bounds how many there are. */
  series(labels: Readonly<Record<string, string>>): DurationSeries {
    const bounds = this.#bounds
    const counts: Counts = { buckets: new Array(bounds.length + 1).fill(0), sum: 0, count: 0, labels }
    this.#series.push(counts)
    return {
      observe(seconds) {
        let at = 0
        while (at < bounds.length && seconds > (bounds[at] ?? 0)) at++
        counts.buckets[at] = (counts.buckets[at] ?? 0) + 1
        counts.sum += seconds
        counts.count++
      },
    }
  }

  /** What prom-client's registry collects from a metric. */
  async get() {
    const values = this.#series.filter(({ count }) => count > 0).flatMap((series) => this.#exposed(series))
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values }
  }

  reset(): void {
    this.#series.length = 0
  }

  #exposed({ buckets, sum, count, labels }: Counts) {
    let below = 0
    const cumulated = buckets.map((own, i) => {
      below += own
      return { metricName: `${this.name}_bucket`, labels: { le: this.#bounds[i] ?? '+Inf', ...labels }, value: below }
    })
    return [
      ...cumulated,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ]
  }
}
