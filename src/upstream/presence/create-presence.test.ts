import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { refuse } from '../../mcp/mcp.ts'
import { inSession, openPresence, type Posted } from './presence-for-test.ts'

const all = { tools: { listChanged: true }, prompts: { listChanged: true }, resources: { listChanged: true } }
const unreachable = ({ answer }: Posted) => answer({ kind: 'failed', failure: 'unreachable', text: 'gone' })

test('asks for all the lists that are offered at once, and for no others', async (t) => {
  const held: Posted[] = []
  const hold = (posted: Posted) => void held.push(posted)
  const { presence, posts } = await openPresence(t, 'modern', all, { 'tools/list': hold, 'prompts/list': hold, 'resources/list': hold })
  assert.deepEqual(
    posts.map((one) => one.method),
    ['server/discover', 'tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'],
  )
  assert.equal(presence.isReady(), false)
  const { tools, prompts, resources } = presence.offers()
  assert.deepEqual([tools, prompts, resources], [true, true, true])
  const few = await openPresence(t, 'modern', { prompts: {} })
  assert.deepEqual([few.presence.isReady(), few.posts.length], [true, 2])
})

test('counts what it lists, and tells of the first lists once it is ready', async (t) => {
  let held: Posted | undefined
  const { presence, log } = await openPresence(t, 'modern', all, {
    'tools/list'(posted) {
      held = posted
    },
  })
  assert.equal(log.includes('listChanged'), false)
  held?.result({ tools: [] })
  await nextTurn()
  const { tools, prompts, resources } = presence.status()
  assert.deepEqual([tools, prompts, resources, presence.entries('templates').length], [0, 1, 1, 1])
  assert.deepEqual(log.slice(-3), ['ready', 'listChanged', 'open 0'])
})

test('declares every capability to a legacy server', async (t) => {
  const { posts } = await openPresence(t, 'legacy', all)
  assert.deepEqual(posts[0]?.params['capabilities'], {
    sampling: { tools: {}, context: {} },
    elicitation: { form: {}, url: {} },
    roots: { listChanged: true },
    extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } },
  })
})

const faults: Readonly<Record<string, (posted: Posted) => void>> = {
  'an error': ({ error }) => error(-32603),
  'an unknown method': ({ error }) => error(-32601),
  'a time-out': ({ answer }) => answer({ kind: 'failed', failure: 'timeout', text: 'late' }),
  rubbish: ({ result }) => result({ prompts: 7 }),
  'a page': ({ answer }) => answer({ kind: 'http', status: 500, text: '<html>' }),
  'a word of a lost session': ({ answer }) => answer({ kind: 'http', status: 404, text: '' }),
}

for (const [title, fault] of Object.entries(faults)) {
  test(`${title} for another list leaves the server up, its last entries and a hint that they don't hold`, async (t) => {
    const script = { initialize: inSession('s1', all) }
    const { presence, script: own, dropped, pass, count } = await openPresence(t, 'legacy', all, script)
    const before = presence.entries('prompts')
    assert.equal(presence.cacheHint('prompts').ttlMs, 60_000)
    own['prompts/list'] = fault
    for (const round of [1, 2]) {
      await presence.refresh()
      await nextTurn()
      assert.equal(count('prompts/list'), 1 + round)
    }
    assert.equal(presence.isReady(), true)
    assert.equal(presence.entries('prompts'), before)
    assert.deepEqual([presence.cacheHint('prompts').ttlMs, presence.cacheHint('tools').ttlMs], [0, 60_000])
    assert.deepEqual([presence.cacheHint('prompts').isWhole, presence.cacheHint('tools').isWhole], [false, true])
    assert.equal(dropped.length, 1)
    assert.match(dropped[0] ?? '', /^the list of prompts: /)
    assert.deepEqual([count('initialize'), presence.ensureFresh()], [1, undefined])
    delete own['prompts/list']
    own['prompts/list'] = ({ result }) => result({ prompts: [] })
    await presence.refresh()
    await pass(0)
    assert.deepEqual([presence.entries('prompts').length, presence.cacheHint('prompts').ttlMs], [0, 60_000])
  })
}

test('nobody waits for a list that failed the last time, and only time asks for it again', async (t) => {
  const { presence, script, pass, count } = await openPresence(t, 'modern', all, { 'prompts/list': ({ error }) => error(-32603) })
  script['prompts/list'] = () => {}
  await presence.refresh()
  assert.deepEqual([presence.isReady(), count('prompts/list')], [true, 2])
  await pass(60_001)
  assert.equal(count('tools/list'), 3)
  assert.equal(presence.ensureFresh(), undefined)
})

test('an unreachable server is down whichever list finds it, and its lists and offers stay', async (t) => {
  for (const method of ['tools/list', 'prompts/list']) {
    const { presence, script, pass, count } = await openPresence(t, 'modern', all)
    const [entries, offers] = [presence.entries('prompts'), presence.offers()]
    const { [method]: usual } = script
    script[method] = unreachable
    await presence.refresh()
    assert.deepEqual([presence.status().state, presence.status().lastError], ['down', 'gone'])
    assert.deepEqual([presence.entries('prompts'), presence.offers()], [entries, offers])
    assert.equal(presence.cacheHint('resources').ttlMs, 0)
    script[method] = (posted) => usual?.(posted)
    await pass(100)
    assert.deepEqual([presence.isReady(), count('server/discover')], [true, 2])
    assert.equal(presence.entries('prompts'), entries)
  }
})

/** Of a server that is there. */
const answers: Readonly<Record<string, (posted: Posted) => void>> = {
  'an error': ({ error }) => error(-32601),
  'a time-out': ({ answer }) => answer({ kind: 'failed', failure: 'timeout', text: 'late' }),
  'a word of a lost session': ({ answer }) => answer({ kind: 'http', status: 404, text: '' }),
}

for (const [era, asks] of [
  ['legacy', 'ping'],
  ['modern', 'server/discover'],
] as const) {
  test(`a ${era} server that keeps no stream open is asked every three seconds whether it is there`, async (t) => {
    const { presence, script, pass, count } = await openPresence(t, era, { tools: {} })
    const met = count('server/discover')
    const checks = () => count(asks) - (asks === 'ping' ? 0 : met)
    const { [asks]: usual = ({ result }: Posted) => result({}) } = script
    for (const [index, answer] of [usual, ...Object.values(answers)].entries()) {
      script[asks] = answer
      await pass(2999)
      assert.equal(checks(), index)
      await pass(1)
      assert.equal(checks(), index + 1)
    }
    assert.deepEqual([presence.isReady(), count('tools/list')], [true, 1])

    const { 'tools/list': list } = script
    for (const fault of [unreachable, ({ answer }: Posted) => answer({ kind: 'http', status: 502, text: '' })]) {
      script[asks] = fault
      script['tools/list'] = fault
      await pass(3000)
      assert.equal(presence.status().state, 'down')
      script[asks] = usual
      script['tools/list'] = (posted) => list?.(posted)
      await pass(100)
      assert.equal(presence.isReady(), true)
    }
  })
}

test('one whose stream is open is asked only once that has ended', async (t) => {
  const { streams, pass, count } = await openPresence(t, 'legacy', all)
  await pass(6000)
  assert.equal(count('ping'), 0)
  streams[0]?.end(405)
  await pass(3000)
  assert.equal(count('ping'), 1)
})

test('where there are no tools, the first list that is offered decides', async (t) => {
  const capabilities = { prompts: {}, resources: {} }
  const { presence, script } = await openPresence(t, 'modern', capabilities)
  script['resources/list'] = ({ error }) => error(-32603)
  await presence.refresh()
  assert.equal(presence.isReady(), true)
  script['prompts/list'] = ({ error }) => error(-32603)
  await presence.refresh()
  assert.equal(presence.status().state, 'down')
})

test('a legacy server that does not know templates has none', async (t) => {
  const script = { 'resources/templates/list': ({ error }: Posted) => error(-32601) }
  const legacy = await openPresence(t, 'legacy', all, script)
  assert.deepEqual([legacy.presence.entries('templates'), legacy.dropped], [[], []])
  assert.equal(legacy.presence.cacheHint('templates').ttlMs, 60_000)
  const modern = await openPresence(t, 'modern', all, script)
  assert.deepEqual([modern.dropped.length, modern.presence.cacheHint('templates').ttlMs], [1, 0])
})

test('a notice asks for its own lists alone, and notices of one kind are one', async (t) => {
  const { streams, log, pass } = await openPresence(t, 'modern', all)
  await pass(1000)
  for (const [kind, methods] of [
    ['tools', ['tools/list']],
    ['prompts', ['prompts/list']],
    ['resources', ['resources/list', 'resources/templates/list']],
  ] as const) {
    log.length = 0
    for (let i = 0; i < 50; i++) streams[0]?.send(`notifications/${kind}/list_changed`)
    await pass(99)
    assert.deepEqual(log, [])
    await pass(1)
    assert.deepEqual(log, methods)
  }
})

test('a list is asked for at most every 500 ms, and again where a change came while it was asked for', async (t) => {
  const { streams, script, count, pass } = await openPresence(t, 'modern', all)
  const notice = () => streams[0]?.send('notifications/tools/list_changed')
  await pass(1000)
  let held: Posted | undefined
  const usual = script['tools/list']
  script['tools/list'] = (posted) => {
    held = posted
  }
  notice()
  await pass(100)
  notice()
  await pass(100)
  assert.equal(count('tools/list'), 2)
  if (held !== undefined) usual?.(held)
  script['tools/list'] = (posted) => usual?.(posted)
  await nextTurn()
  await pass(499)
  assert.equal(count('tools/list'), 2)
  await pass(1)
  assert.equal(count('tools/list'), 3)
})

test('a list that keeps the process busy is asked for the more seldom, every ten seconds at least', async (t) => {
  const opened = await openPresence(t, 'modern', all)
  const { streams, script, count, pass } = opened
  let version = 0
  script['tools/list'] = ({ result }) => result({ tools: [{ name: `x${version++}`, inputSchema: { type: 'object' } }] })
  const notice = () => streams[0]?.send('notifications/tools/list_changed')
  await pass(1000)
  for (const [busyMs, restMs] of [
    [5, 500],
    [40, 2000],
    [1000, 10_000],
  ] as const) {
    opened.busyMs = busyMs
    const before = count('tools/list')
    notice()
    await pass(100)
    assert.equal(count('tools/list'), before + 1)
    notice()
    await pass(restMs - busyMs - 1)
    assert.equal(count('tools/list'), before + 1, `${busyMs}`)
    await pass(1)
    assert.equal(count('tools/list'), before + 2, `${busyMs}`)
    await pass(10_000)
  }
})

test('entries stay the same array while they are equal; a change is told once', async (t) => {
  const { presence, script, log } = await openPresence(t, 'modern', all)
  const before = presence.entries('resources')
  log.length = 0
  await presence.refresh()
  assert.equal(presence.entries('resources'), before)
  assert.equal(log.includes('listChanged'), false)
  script['resources/list'] = ({ result }) => result({ resources: [] })
  await presence.refresh()
  assert.equal(presence.entries('resources').length, 0)
  assert.equal(log.filter((one) => one === 'listChanged').length, 1)
})

test('a server that comes back with other offers: that is told, and lists that it no longer offers are empty', async (t) => {
  const { presence, script, log, pass } = await openPresence(t, 'modern', all)
  presence.goDown(refuse('upstream-down', 'gone'))
  script['server/discover'] = ({ result }) => result({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} } })
  log.length = 0
  await pass(100)
  assert.deepEqual([presence.isReady(), presence.offers().prompts, presence.entries('prompts')], [true, false, []])
  assert.equal(log.filter((one) => one === 'listChanged').length, 1)
})

test('a session that is lost is opened again at once, and all lists are asked for', async (t) => {
  let opened = 0
  const script = { initialize: (posted: Posted) => inSession(`s${++opened}`, all)(posted) }
  const { presence, script: own, posts, log, pass } = await openPresence(t, 'legacy', all, script)
  const usual = own['tools/list']
  own['tools/list'] = (posted) => (posted.session === 's1' ? posted.answer({ kind: 'http', status: 404, text: '' }) : usual?.(posted))
  await pass(5001)
  log.length = 0
  await presence.refresh()
  await nextTurn()
  assert.deepEqual([presence.met()?.session, presence.isReady(), opened], ['s2', true, 2])
  assert.equal(log.includes('down'), false)
  const again = posts.filter((one) => one.session === 's2').map((one) => one.method)
  assert.deepEqual(again.slice(1), ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'])
})

test('a session whose loss another list finds is opened again too', async (t) => {
  let opened = 0
  const script = { initialize: (posted: Posted) => inSession(`s${++opened}`, all)(posted) }
  const { presence, script: own, streams, pass } = await openPresence(t, 'legacy', all, script)
  await pass(5001)
  for (const method of ['tools/list', 'prompts/list']) {
    const { [method]: usual } = own
    own[method] = (posted) => (posted.session === 's1' ? posted.answer({ kind: 'http', status: 404, text: '' }) : usual?.(posted))
  }
  streams[0]?.send('notifications/prompts/list_changed')
  await pass(100)
  assert.deepEqual([presence.met()?.session, presence.isReady(), presence.cacheHint('prompts').isWhole], ['s2', true, true])
})

test('sessions that are soon lost are opened ever more seldom, and the server is up meanwhile', async (t) => {
  let opened = 0
  const script = { initialize: (posted: Posted) => inSession(`s${++opened}`, all)(posted) }
  const { presence, script: own, streams, log, pass } = await openPresence(t, 'legacy', all, script)
  const { 'tools/list': usual } = own
  const listed = new Set<string | undefined>()
  own['tools/list'] = (posted) => {
    if (listed.has(posted.session)) return posted.answer({ kind: 'http', status: 404, text: '' })
    listed.add(posted.session)
    usual?.(posted)
  }
  await pass(5001)
  listed.add('s1')
  // This one had lasted.
  await presence.refresh()
  await nextTurn()
  assert.equal(presence.met()?.session, 's2')
  for (const wait of [100, 200, 400, 800, 1600, 2000, 2000]) {
    const before = opened
    for (let i = 0; i < 3; i++) await presence.refresh()
    streams.at(-1)?.end(404)
    await pass(wait - 1)
    assert.deepEqual([opened, presence.met()?.session, presence.isReady()], [before, `s${before}`, true])
    await pass(1)
    assert.equal(presence.met()?.session, `s${before + 1}`)
  }
  assert.equal(log.includes('down'), false)
  await pass(5001)
  await presence.refresh()
  await nextTurn()
  assert.equal(opened, 10)
  await presence.refresh()
  await pass(100)
  assert.equal(opened, 11)
})

test('what is no change goes to whoever takes it', async (t) => {
  const { streams, others } = await openPresence(t, 'modern', all)
  for (const method of ['notifications/message', 'ping', 'notifications/progress', 'notifications/prompts/list_changed'])
    streams[0]?.send(method)
  assert.deepEqual(others, ['notifications/message', 'ping', 'notifications/progress'])
})
