import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { type Gateway, startGateway } from './gateway.ts'
import { type Bridge, comparable, type Era, expectations, listed } from './setup/bridging.ts'
import { type Driver, drivers } from './setup/drivers.ts'
import { everything, everythingServer } from './setup/everything.ts'
import { exposed, unexposed, unexposedEntry } from './setup/exposed.ts'
import { libraryServer } from './setup/library.ts'
import { need } from './setup/part.ts'
import { python2 } from './setup/python.ts'
import type { Answer, Listed, Operation, Player, Replies, Transcript } from './setup/script.ts'
import { settled } from './setup/settled.ts'
import { everythingSteps, librarySteps, lists, type Step } from './setup/steps.ts'

type Server = 'everything' | 'library'

const scripts: Readonly<Record<Server, readonly Step[]>> = { everything: everythingSteps, library: librarySteps }
const servers = ['everything', 'library'] as const

const listing = lists.map((what): Operation => ({ do: 'list', what }))

const replies: Replies = {
  sampling: { model: 'a-model', role: 'assistant', content: { type: 'text', text: 'Moby "Dick"' }, stopReason: 'endTurn' },
  form: {
    action: 'accept',
    content: {
      ...{ name: 'Ada', age: 36, title: 'Momo', check: true, email: 'ada@example.com', birthdate: '1815-12-10', integer: 7, number: 2.5 },
      ...{ untitledMultipleSelectEnum: ['Piano', 'Bass'], titledSingleSelectEnum: 'hero-2', legacyTitledEnum: 'pet-3' },
    },
  },
  url: { action: 'accept' },
  roots: { roots: [{ uri: 'file:///home/ada/w%C3%B6rk', name: 'work' }, { uri: 'file:///tmp' }] },
}

test('server-everything and a Python server behind one endpoint give every client the same answers as directly', async (t) => {
  const directory = await need(t, everything())
  const python = await need(t, python2())
  if (directory === undefined || python === undefined) return
  const urls = { everything: (await everythingServer(t, directory)).url, library: (await libraryServer(t, python)).url }
  const direct = directly(urls)
  const both = await startGateway(t, `servers:\n  everything: ${urls.everything}\n  library: ${urls.library}\n`)
  const old = await startGateway(t, `servers:\n  everything: ${urls.everything}\n  library: { http: "${urls.library}", era: legacy }\n`)
  for (const driver of drivers) {
    await t.test(driver.name, async (t) => {
      const player = await need(t, driver.player())
      if (player === undefined) return
      await t.test('the Python server in the modern era', () => same(driver, player, both, direct, 'modern'))
      await t.test('the Python server in the legacy era', () => same(driver, player, old, direct, 'legacy'))
    })
  }
})

/** What a driver was told without mcplex. */
type Direct = (driver: Driver, server: Server) => Promise<Transcript>

/** Plays a driver against a server when it is first asked for, and asserts that all steps of the script worked. */
function directly(urls: Readonly<Record<Server, string>>): Direct {
  const known = new Map<string, Promise<Transcript>>() // one for each driver and server
  const play = async (driver: Driver, server: Server) => {
    const part = await driver.player()
    if (part.kind === 'missing') throw new Error(part.reason)
    const steps = scripts[server]
    const transcript = await part.value(urls[server], [...listing, ...steps.map((step) => step.operation)], replies)
    const isRight = ({ fails }: Step, answer: Answer | undefined) => (fails ? answer?.error : answer?.result) !== undefined
    const wrong = [...listing.map((operation): Step => ({ operation })), ...steps].flatMap((step, index) => {
      const answer = transcript.answers[index]
      return isRight(step, answer) ? [] : [[step.operation, answer]]
    })
    assert.deepEqual([wrong, transcript.unheard], [[], []], `${driver.name} directly at ${server}`)
    return transcript
  }
  return (driver, server) => {
    const key = `${driver.name}, ${server}`
    const transcript = known.get(key) ?? play(driver, server)
    known.set(key, transcript)
    return transcript
  }
}

/** Plays all scripts on one connection to mcplex and compares with the direct answers. */
async function same(driver: Driver, player: Player, gateway: Gateway, direct: Direct, libraryEra: Era): Promise<void> {
  const plans = await Promise.all(
    servers.map(async (server) => {
      const era = server === 'everything' ? 'legacy' : libraryEra
      const measure = server === 'everything' ? legacyOf(driver) : driver
      const bridge: Bridge = { client: driver.era, server: era, direct: measure.era }
      const transcript = await direct(measure, server)
      return { server, bridge, transcript, wanted: expectations(bridge, scripts[server], transcript.answers.slice(lists.length)) }
    }),
  )
  const operations = plans.flatMap(({ server, wanted }) => wanted.map(([step]) => exposed(server, step.operation)))
  const seen = await player(gateway.url, [...listing, ...operations], replies)

  const pairs: Pair[] = lists.map((what, index) => {
    const entries = (transcript: Transcript) => entriesOf(what, transcript.answers[index])
    const expected = plans.flatMap(({ server, transcript }) => entries(transcript).map((entry) => ({ server, entry: listed(entry) })))
    return { what, expected, seen: entries(seen).map((entry) => settled(unexposedEntry(servers, entry))) }
  })
  const answers = seen.answers.slice(lists.length).values()
  for (const { server, bridge, wanted } of plans) {
    for (const [{ operation }, expected] of wanted) {
      const answer = comparable(bridge, unexposed(server, answers.next().value))
      pairs.push({ what: `${pairs.length}. ${server}: ${JSON.stringify(operation)}`, expected, seen: answer })
    }
  }
  const rootsAsked = plans.map(({ server, bridge, transcript }) =>
    asksBeside(server) && bridge.client === 'modern' ? 0 : transcript.rootsAsked,
  )
  pairs.push({ what: 'roots asked for', expected: rootsAsked.reduce((sum, one) => sum + one), seen: seen.rootsAsked })
  pairs.push({ what: 'heard beside', expected: [], seen: seen.unheard })
  assertSame(pairs, gateway)
}

interface Pair {
  readonly what: string
  readonly expected: unknown
  readonly seen: unknown
}

/** Fails with nothing but what differs. */
function assertSame(pairs: readonly Pair[], gateway: Gateway): void {
  const different = pairs.filter(({ expected, seen }) => !isDeepStrictEqual(seen, expected))
  const summary = `${different.length} of ${pairs.length} differ:\n${different.map(({ what }) => what).join('\n')}`
  const side = (name: 'expected' | 'seen') => Object.fromEntries(different.map((pair) => [pair.what, pair[name]]))
  assert.deepEqual(side('seen'), side('expected'), `${summary}\n${gateway.log().slice(-2000)}`)
}

/** The legacy client of the same SDK, as server-everything knows no other era. */
function legacyOf(driver: Driver): Driver {
  const found = drivers.find(({ sdk, era }) => sdk === driver.sdk && era === 'legacy')
  assert.ok(found)
  return found
}

/** Whether the server asks for the roots on the stream of its session, which a modern client lacks. */
function asksBeside(server: Server): boolean {
  return server === 'everything'
}

function entriesOf(what: Listed, answer: Answer | undefined): Record<string, unknown>[] {
  const entries = answer?.result?.[what === 'resource_templates' ? 'resourceTemplates' : what]
  return Array.isArray(entries) ? entries : [{ ...answer }]
}
