import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startGateway } from './gateway.ts'
import { need } from './setup/part.ts'
import { everythingServer, type Referee, type RequirementSet, referee, type Score } from './setup/referee.ts'
import { legacyServer, modernServer } from './setup/upstreams.ts'

const sets: readonly RequirementSet[] = ['2025-11-25', '2026-07-28']

interface Pinned {
  readonly url: string
  readonly era?: 'legacy' | 'modern'
}

/** What a server of the legacy era can't give a modern client: a name for its question, and an error of the modern era. */
const beyondLegacy = ['input-required-result-basic-elicitation', 'server-stateless', 'input-required-result-capability-check']

/**
 * Two scenarios of 2025-11-25 look closer at servers that answer as streams where they need not: then they count one check more
 * (an event stream for each of three lists: mcplex answers lists as JSON, from what it knows) and three more (event ids and resumption, which
 * are optional: mcplex resumes towards servers, and keeps its own clients' streams open meanwhile). Both pass without them.
 */
const withoutOptional: Readonly<Record<string, string>> = { 'server-sse-multiple-streams': '1/0', 'server-sse-polling': '0/0' }

test('the referee’s server scenarios', async (t) => {
  const judge = await need(t, referee())
  if (judge === undefined) return
  const everything = await everythingServer(t)

  for (const set of sets) {
    await t.test(`${set}: through mcplex as directly`, async (t) => {
      const direct = await judged(t, judge, everything, set, 'directly')
      assert.deepEqual(fallen(direct), [], 'the fixture itself must pass')
      const expected = set === '2025-11-25' ? { ...counts(direct), ...withoutOptional } : counts(direct)

      await t.test('one server', async (t) => {
        const url = await gateway(t, { everything: { url: everything } })
        assert.deepEqual(counts(await judged(t, judge, url, set, 'one server')), expected)
      })
      await t.test('another server of the other era beside it', async (t) => {
        const other = await (set === '2026-07-28' ? legacyServer(t) : modernServer(t))
        const url = await gateway(t, { everything: { url: everything }, other: { url: other.url } })
        assert.deepEqual(counts(await judged(t, judge, url, set, 'two servers')), expected)
      })
    })
  }

  await t.test('modern client, legacy server', async (t) => {
    const url = await gateway(t, { everything: { url: everything, era: 'legacy' } })
    const scores = await judged(t, judge, url, '2026-07-28', 'server pinned legacy')
    const unexpected = fallen(scores).filter((scenario) => !beyondLegacy.includes(scenario))
    assert.deepEqual(unexpected, [])
  })

  await t.test('legacy client, modern server', async (t) => {
    const url = await gateway(t, { everything: { url: everything, era: 'modern' } })
    assert.deepEqual(fallen(await judged(t, judge, url, '2025-11-25', 'server pinned modern')), [])
  })

  await t.test('legacy client, mcplex, mcplex over the modern era, legacy server', async (t) => {
    const inner = await gateway(t, { everything: { url: everything, era: 'legacy' } })
    const url = await gateway(t, { inner: { url: inner, era: 'modern' } })
    assert.deepEqual(fallen(await judged(t, judge, url, '2025-11-25', 'through both eras')), [])
  })
})

test('the referee’s client scenarios', async (t) => {
  const judge = await need(t, referee())
  if (judge === undefined) return
  for (const set of sets) {
    for (const scenario of await judge.clientScenarios(set)) {
      await t.test(`${set}: ${scenario}`, async (t) => {
        const [direct, through] = await Promise.all([
          judge.judgeClient(scenario, set, 'direct'),
          judge.judgeClient(scenario, set, 'mcplex'),
        ])
        t.diagnostic(`${set} ${scenario}: directly ${count(direct)}, through mcplex ${count(through)}`)
        assert.ok(direct.isPassed, `the client itself must pass:\n${direct.output}`)
        assert.equal(count(through), count(direct), through.output)
        assert.ok(through.isPassed, through.output)
      })
    }
  }
})

/** The endpoint of an mcplex with these servers, whose names stay as they are. */
async function gateway(t: TestContext, servers: Readonly<Record<string, Pinned>>): Promise<string> {
  const entries = Object.entries(servers).map(([name, { url, era }]) => [name, { http: { url }, ...(era === undefined ? {} : { era }) }])
  const backends = { default: { prefix: 'never', servers: Object.fromEntries(entries) } }
  const { url } = await startGateway(t, `backends: ${JSON.stringify(backends)}\n`)
  return url
}

async function judged(t: TestContext, judge: Referee, url: string, set: RequirementSet, what: string): Promise<readonly Score[]> {
  const scores = await judge.judgeServer(url, set)
  const sum = (of: (score: Score) => number) => scores.reduce((total, score) => total + of(score), 0)
  const scored = scores.filter(({ isScored }) => isScored)
  const whole = `${sum(({ passed }) => passed)} checks passed, ${sum(({ failed }) => failed)} failed`
  t.diagnostic(`${set} ${what}: ${scored.filter(isPassed).length} of ${scored.length} scored scenarios, ${whole}`)
  const bad = scores.filter((score) => !isPassed(score)).map((score) => `${score.scenario} ${count(score)}`)
  if (bad.length > 0) t.diagnostic(`${set} ${what}, not passed: ${bad.join(', ')}`)
  return scores
}

/** The scored scenarios that were not passed. */
function fallen(scores: readonly Score[]): readonly string[] {
  return scores.filter((score) => score.isScored && !isPassed(score)).map(({ scenario }) => scenario)
}

function isPassed({ passed, failed }: Score): boolean {
  return failed === 0 && passed > 0
}

function counts(scores: readonly Score[]): Readonly<Record<string, string>> {
  return Object.fromEntries(scores.map((score) => [score.scenario, count(score)]))
}

function count({ passed, failed }: Score): string {
  return `${passed}/${failed}`
}
