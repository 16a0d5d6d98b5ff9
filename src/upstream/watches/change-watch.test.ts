import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { refuse } from '../../mcp/mcp.ts'
import { type FakeStream, inSession, openPresence, type Posted, uris } from '../presence/presence-for-test.ts'

const all = { tools: { listChanged: true }, prompts: {}, resources: { listChanged: true, subscribe: true } }
const quiet = { tools: {}, resources: { subscribe: true } }

const acknowledge = (stream: FakeStream | undefined, honoured: readonly string[] = []) =>
  stream?.send('notifications/subscriptions/acknowledged', { notifications: { resourceSubscriptions: honoured } })
const update = (stream: FakeStream | undefined, uri: string) => stream?.send('notifications/resources/updated', { uri })
const none = () => {}

/** URIs that were subscribed to, in order; those given up with a minus. */
const asked = (posts: readonly Posted[]) =>
  posts.flatMap(({ method, params: { uri } }) => {
    if (method === 'resources/subscribe') return [`${uri}`]
    return method === 'resources/unsubscribe' ? [`-${uri}`] : []
  })

test('one stream asks for the changes that are offered; a server that tells of none is not asked', async (t) => {
  const { streams } = await openPresence(t, 'modern', all)
  assert.deepEqual(
    streams.map((one) => one.filter),
    [{ toolsListChanged: true, resourcesListChanged: true }],
  )
  for (const era of ['modern', 'legacy'] as const) assert.equal((await openPresence(t, era, quiet)).streams.length, 0)
})

test('modern: a stream with the new URIs takes the old one’s place once it is acknowledged', async (t) => {
  const { presence, streams, log, pass } = await openPresence(t, 'modern', all)
  acknowledge(streams[0])
  log.length = 0
  const heard: string[] = []
  const watched = ['a://1', 'a://2', 'a://1', 'a://3'].map((uri) => presence.watch(uri, (one) => heard.push(one)))
  await pass(19)
  assert.deepEqual(log, [])
  await pass(1)
  assert.deepEqual([log, uris(streams[1])], [['open 1'], ['a://1', 'a://2', 'a://3']])
  assert.deepEqual(streams[1]?.filter['toolsListChanged'], true)
  // Both streams are heard meanwhile, and what both tell is one update.
  update(streams[0], 'a://2')
  acknowledge(streams[1], ['a://1', 'a://2'])
  update(streams[1], 'a://2')
  assert.deepEqual(log, ['open 1', 'close 0'])
  assert.deepEqual(await Promise.all(watched.map((one) => one.isGranted)), [true, true, true, false])
  await pass(100)
  assert.deepEqual(heard, ['a://2'])
})

test('modern: changes of what is watched wait for the acknowledgement, and one stream more is enough for all', async (t) => {
  const { presence, streams, log, pass } = await openPresence(t, 'modern', all)
  const first = presence.watch('a://1', none)
  await pass(20)
  const others = ['a://2', 'a://3'].map((uri) => presence.watch(uri, none))
  first.stop()
  await pass(1000)
  assert.equal(streams.length, 2)
  acknowledge(streams[1], ['a://1'])
  await pass(20)
  assert.deepEqual([streams.length, uris(streams[2])], [3, ['a://2', 'a://3']])
  acknowledge(streams[2], ['a://2', 'a://3'])
  assert.deepEqual(await Promise.all(others.map((one) => one.isGranted)), [true, true])
  await pass(10_000)
  assert.deepEqual([streams.length, log.filter((one) => one.startsWith('close'))], [3, ['close 0', 'close 1']])
})

test('modern: a replacement that fails, or is never acknowledged, leaves the old stream as it is', async (t) => {
  const { presence, streams, log, pass } = await openPresence(t, 'modern', all)
  const one = presence.watch('a://1', none)
  await pass(20)
  acknowledge(streams[1], ['a://1'])
  const tooMuch = presence.watch('a://2', none)
  await pass(20)
  streams[2]?.end(413)
  assert.equal(await tooMuch.isGranted, false)
  const late = presence.watch('a://3', none)
  await pass(20)
  presence.watch('a://4', none)
  await pass(4999)
  assert.equal(await late.isGranted, false)
  assert.deepEqual([await one.isGranted, streams[1]?.isOpen, streams[3]?.isOpen], [true, true, true])
  await pass(1)
  assert.deepEqual([streams.length, streams[3]?.isOpen, log.includes('close 1')], [4, false, false])
  // What has changed meanwhile is asked for.
  await pass(20)
  assert.deepEqual([streams.length, uris(streams[4])?.at(-1)], [5, 'a://4'])
})

test('modern: a stream that ends while another is to take its place leaves that one alone', async (t) => {
  const { presence, streams, pass } = await openPresence(t, 'modern', all)
  const heard: string[] = []
  presence.watch('a://1', (uri) => heard.push(uri))
  await pass(20)
  acknowledge(streams[1], ['a://1'])
  const two = presence.watch('a://2', (uri) => heard.push(uri))
  await pass(20)
  streams[1]?.end(200)
  await pass(2000)
  assert.deepEqual([streams.length, streams[2]?.isOpen], [3, true])
  acknowledge(streams[2], ['a://1', 'a://2'])
  assert.equal(await two.isGranted, true)
  await pass(100)
  assert.deepEqual(heard, ['a://1'])
})

test('modern: a stream that only watched needs ends with the last of them', async (t) => {
  const { presence, streams, pass } = await openPresence(t, 'modern', quiet)
  const one = presence.watch('a://1', none)
  await pass(20)
  assert.deepEqual([streams.length, uris(streams[0])], [1, ['a://1']])
  acknowledge(streams[0], ['a://1'])
  assert.equal(await one.isGranted, true)
  one.stop()
  await pass(20)
  assert.equal(streams[0]?.isOpen, false)
})

test('a stream that ends: lists are asked for, it is opened again, and all who watch hear of one update', async (t) => {
  for (const era of ['modern', 'legacy'] as const) {
    const { presence, streams, posts, count, pass } = await openPresence(t, era, all)
    const heard: string[] = []
    for (const name of ['1', '2']) presence.watch('a://1', (uri) => heard.push(`${name} ${uri}`))
    presence.watch('a://2', (uri) => heard.push(uri))
    await pass(20)
    acknowledge(streams.at(-1), ['a://1', 'a://2'])
    await pass(20)
    const before = streams.length
    const lists = count('tools/list')
    streams.at(-1)?.end(200)
    await nextTurn()
    assert.equal(count('tools/list'), lists + 1)
    await pass(999)
    assert.deepEqual([streams.length, heard], [before, []])
    await pass(1)
    assert.equal(streams.length, before + 1)
    if (era === 'modern') assert.deepEqual(uris(streams.at(-1)), ['a://1', 'a://2'])
    acknowledge(streams.at(-1), ['a://1', 'a://2'])
    await pass(20)
    if (era === 'legacy') assert.deepEqual(asked(posts), ['a://1', 'a://2', 'a://1', 'a://2'])
    await pass(100)
    assert.deepEqual(heard, ['1 a://1', '2 a://1', 'a://2'])
  }
})

test('a stream that ends soon is opened ever more seldom; the server may ask for a longer wait', async (t) => {
  const { streams, pass } = await openPresence(t, 'modern', all)
  for (const wait of [1000, 2000, 4000]) {
    streams.at(-1)?.end(200)
    const before = streams.length
    await pass(wait - 1)
    assert.equal(streams.length, before)
    await pass(1)
    assert.equal(streams.length, before + 1)
  }
  streams.at(-1)?.request.onEnd(200, 20_000, undefined)
  await pass(19_999)
  assert.equal(streams.length, 4)
  await pass(1)
  assert.equal(streams.length, 5)
})

test('a server that was gone: what is watched is asked for again when it is back, and told of once', async (t) => {
  for (const era of ['modern', 'legacy'] as const) {
    const { presence, streams, posts, pass } = await openPresence(t, era, all)
    const heard: string[] = []
    const { isGranted } = presence.watch('a://1', (uri) => heard.push(uri))
    await pass(20)
    acknowledge(streams.at(-1), ['a://1'])
    await pass(20)
    assert.equal(await isGranted, true)
    presence.goDown(refuse('upstream-down', 'gone'))
    assert.equal(streams.at(-1)?.isOpen, false)
    // Nobody is kept waiting for a server that is down.
    const late = presence.watch('a://2', (uri) => heard.push(uri))
    assert.equal(await late.isGranted, false)
    await pass(100)
    assert.equal(presence.isReady(), true)
    acknowledge(streams.at(-1), ['a://1', 'a://2'])
    await pass(20)
    if (era === 'legacy') assert.deepEqual(asked(posts), ['a://1', 'a://1', 'a://2'])
    await pass(100)
    assert.deepEqual(heard, ['a://1', 'a://2'])
  }
})

test('who watches before the server was met is told as soon as it was', async (t) => {
  let met: Posted | undefined
  const { presence, streams, script, pass } = await openPresence(t, 'modern', all, {
    'server/discover'(posted) {
      met = posted
    },
  })
  const { isGranted } = presence.watch('a://1', none)
  delete script['server/discover']
  met?.result({ supportedVersions: ['2026-07-28'], capabilities: all })
  await pass(0)
  acknowledge(streams[0], ['a://1'])
  assert.deepEqual([await isGranted, uris(streams[0])], [true, ['a://1']])
})

test('who waits for a server that goes down, or turns out to have no subscriptions, is told at once', async (t) => {
  const { presence, pass } = await openPresence(t, 'modern', all)
  const { isGranted } = presence.watch('a://1', none)
  await pass(20)
  presence.goDown(refuse('upstream-down', 'gone'))
  assert.equal(await isGranted, false)
  let met: Posted | undefined
  const unable = await openPresence(t, 'modern', all, {
    'server/discover'(posted) {
      met = posted
    },
  })
  const early = unable.presence.watch('a://1', none)
  met?.result({ supportedVersions: ['2026-07-28'], capabilities: { tools: { listChanged: true } } })
  assert.equal(await early.isGranted, false)
  assert.deepEqual(uris(unable.streams[0]), undefined)
})

test('legacy: nothing is subscribed to while no stream could bring updates', async (t) => {
  const { presence, streams, posts, script, pass } = await openPresence(t, 'legacy', all)
  await pass(20)
  streams[0]?.end(200)
  presence.watch('a://1', none)
  await pass(999)
  assert.deepEqual(asked(posts), [])
  await pass(21)
  assert.deepEqual(asked(posts), ['a://1'])
  let held: Posted | undefined
  script['resources/subscribe'] = (posted) => {
    held = posted
  }
  const heard: string[] = []
  const { isGranted } = presence.watch('a://2', (uri) => heard.push(uri))
  await pass(20)
  streams[1]?.end(405)
  held?.result({})
  await nextTurn()
  await pass(100)
  assert.deepEqual([await isGranted, heard], [false, []])
})

test('legacy: one subscription for all who watch, on the session, ended with the last', async (t) => {
  const { presence, posts, streams, pass } = await openPresence(t, 'legacy', all, { initialize: inSession('s1', all) })
  await pass(20)
  const heard: string[] = []
  const watched = [1, 2, 3].map((n) => presence.watch('a://1', (uri) => heard.push(`${n} ${uri}`)))
  await pass(20)
  assert.deepEqual([await watched[0]?.isGranted, asked(posts)], [true, ['a://1']])
  assert.equal(posts.find((one) => one.method === 'resources/subscribe')?.session, 's1')
  update(streams[0], 'a://1/below')
  watched[1]?.stop()
  await pass(100)
  assert.deepEqual(heard, ['1 a://1/below', '3 a://1/below'])
  watched[0]?.stop()
  watched[2]?.stop()
  await pass(20)
  assert.deepEqual([asked(posts), streams.length, streams[0]?.isOpen], [['a://1', '-a://1'], 1, true])
})

test('legacy: a server without changes of lists gets a stream as long as somebody watches', async (t) => {
  const { presence, posts, streams, pass } = await openPresence(t, 'legacy', quiet)
  const watched = Array.from({ length: 20 }, (_, i) => presence.watch(`a://${i}`, none))
  await pass(20)
  assert.deepEqual([streams.length, streams[0]?.request.method, asked(posts)], [1, 'GET', []])
  await pass(20)
  assert.deepEqual(await Promise.all(watched.map((one) => one.isGranted)), Array(20).fill(true))
  for (const one of watched) one.stop()
  await pass(20)
  await nextTurn()
  assert.equal(streams[0]?.isOpen, false)
  assert.equal(asked(posts).filter((uri) => uri.startsWith('-')).length, 20)
})

test('legacy: without a stream, without the capability or against the server’s word nothing is granted', async (t) => {
  const refusing = await openPresence(t, 'legacy', quiet)
  const one = refusing.presence.watch('a://1', none)
  await refusing.pass(20)
  refusing.streams[0]?.end(405)
  assert.equal(await one.isGranted, false)
  assert.equal(await refusing.presence.watch('a://2', none).isGranted, false)
  await refusing.pass(20)
  assert.deepEqual([asked(refusing.posts), refusing.streams.length], [[], 1])

  const unable = await openPresence(t, 'legacy', { resources: { listChanged: true } })
  assert.equal(await unable.presence.watch('a://1', none).isGranted, false)
  await unable.pass(20)
  assert.deepEqual(asked(unable.posts), [])

  const picky = await openPresence(t, 'legacy', all, { 'resources/subscribe': ({ error }) => error(-32002) })
  const no = picky.presence.watch('a://1', none)
  await picky.pass(20)
  assert.equal(await no.isGranted, false)
})

test('legacy: what has not been subscribed to when the stream ends waits for the next', async (t) => {
  const held: Posted[] = []
  const { presence, streams, pass } = await openPresence(t, 'legacy', all, { 'resources/subscribe': (posted) => void held.push(posted) })
  await pass(20)
  for (let i = 0; i < 6; i++) presence.watch(`a://${i}`, none)
  await pass(20)
  streams[0]?.end(200)
  for (const one of held) one.result({})
  await pass(999)
  assert.equal(held.length, 4)
  await pass(21)
  assert.deepEqual(
    held.slice(4).map((one) => one.params['uri']),
    ['a://4', 'a://5', 'a://0', 'a://1'],
  )
})

test('legacy: a subscription that was given up while it was asked for is ended, and at most four are under way', async (t) => {
  const held: Posted[] = []
  const { presence, posts, pass } = await openPresence(t, 'legacy', all, { 'resources/subscribe': (posted) => void held.push(posted) })
  await pass(20)
  const watched = Array.from({ length: 9 }, (_, i) => presence.watch(`a://${i}`, none))
  await pass(20)
  assert.equal(held.length, 4)
  for (const one of watched) one.stop()
  await pass(20)
  for (const one of held) one.result({})
  await nextTurn()
  assert.deepEqual(asked(posts).slice(4).sort(), ['-a://0', '-a://1', '-a://2', '-a://3'])
  // Watched again while it is being ended: subscribed to after that.
  assert.equal(held.length, 4)
})

test('legacy: a session that is lost: the new one has its own stream and all subscriptions', async (t) => {
  let opened = 0
  const script = { initialize: (posted: Posted) => inSession(`s${++opened}`, all)(posted) }
  const { presence, script: own, posts, streams, pass } = await openPresence(t, 'legacy', all, script)
  const heard: string[] = []
  presence.watch('a://1', (uri) => heard.push(uri))
  await pass(5001)
  const { 'tools/list': usual } = own
  own['tools/list'] = (posted) => (posted.session === 's1' ? posted.answer({ kind: 'http', status: 404, text: '' }) : usual?.(posted))
  own['resources/subscribe'] = (posted) =>
    posted.session === 's1' ? posted.answer({ kind: 'http', status: 404, text: '' }) : posted.result({})
  presence.watch('a://2', (uri) => heard.push(uri))
  await pass(20)
  assert.deepEqual([presence.met()?.session, streams.map((one) => one.isOpen)], ['s2', [false, true]])
  assert.equal(streams[1]?.request.headers.includes('s2'), true)
  await pass(20)
  const again = posts.filter((one) => one.session === 's2')
  assert.deepEqual(asked(again), ['a://1', 'a://2'])
  await pass(100)
  assert.deepEqual(heard, ['a://1'])
})

test('a stream that fails again and again is opened two seconds after the newest meeting, and the lists are asked for again then', async (t) => {
  let opened = 0
  const script = { initialize: (posted: Posted) => inSession(`s${++opened}`, all)(posted) }
  const { presence, streams, pass, count } = await openPresence(t, 'legacy', all, script)
  const again = async () => {
    await nextTurn()
    presence.goDown(refuse('upstream-down', 'gone'))
    await pass(100)
    assert.equal(presence.isReady(), true)
  }
  streams[0]?.end(404)
  // The first could have ended with its session.
  await again()
  assert.equal(streams.length, 2)
  streams[1]?.end(404)
  for (let i = 0; i < 15; i++) await again()
  await pass(1900)
  assert.equal(streams.length, 2)
  const lists = count('tools/list')
  await pass(100)
  assert.deepEqual([streams.length, count('tools/list')], [3, lists + 1])
})
