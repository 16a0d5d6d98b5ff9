import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  ListPromptsResultSchema,
  ListResourcesResultSchema,
  ListResourceTemplatesResultSchema,
  ListToolsResultSchema,
} from '@modelcontextprotocol/sdk/types.js'
import fc from 'fast-check'
import { type EraName, type ListKind, listKinds, lists, type Message, scanMessage } from '../../mcp/mcp.ts'
import { type ListBounds, listEntries } from './list-entries.ts'

const bounds: ListBounds = { pages: 100, entries: 10_000, era: 'legacy', chars: 1_000_000 }

function messageOf(result: object): Message {
  const message = scanMessage(JSON.stringify({ jsonrpc: '2.0', id: 1, result }), { depth: 64, tokens: 1_000_000 })
  if (message.kind === 'fault') throw new Error(message.text)
  return message
}

async function read(kind: ListKind, pages: readonly object[], more: Partial<ListBounds> = {}) {
  const cursors: (string | undefined)[] = []
  const list = await listEntries(
    kind,
    async (cursor) => {
      cursors.push(cursor)
      return messageOf(pages[Math.min(cursors.length, pages.length) - 1] ?? {})
    },
    { ...bounds, ...more },
  )
  assert.ok(list.kind === 'list')
  return { ...list, cursors, keys: list.entries.map((one) => one.key), parsed: list.entries.map((one) => JSON.parse(one.text)) }
}

const page = (kind: ListKind, entries: readonly unknown[], more: object = {}) => ({ [lists[kind].member]: entries, ...more })

const fit: Readonly<Record<ListKind, (key: string) => Record<string, unknown>>> = {
  tools: (name) => ({ name, inputSchema: { type: 'object' } }),
  prompts: (name) => ({ name }),
  resources: (key) => ({ uri: `a://${key}`, name: 'n' }),
  templates: (key) => ({ uriTemplate: `a://${key}/{x}`, name: 'n' }),
}

const strict = {
  tools: (entries: unknown[]) => ListToolsResultSchema.safeParse({ tools: entries }).success,
  prompts: (entries: unknown[]) => ListPromptsResultSchema.safeParse({ prompts: entries }).success,
  resources: (entries: unknown[]) => ListResourcesResultSchema.safeParse({ resources: entries }).success,
  templates: (entries: unknown[]) => ListResourceTemplatesResultSchema.safeParse({ resourceTemplates: entries }).success,
} as const

describe('an entry that nobody could use is left out and named; the others stay', () => {
  const long = 'x'.repeat(5000)
  const rows: Readonly<Record<ListKind, readonly (readonly [unknown, string])[]>> = {
    tools: [
      [7, 'a tool that is no object'],
      [{ name: '' }, 'a tool without a name'],
      [{ name: 'x', inputSchema: null }, 'tool "x": its inputSchema is no object'],
    ],
    prompts: [
      [[], 'a prompt that is no object'],
      [{ title: 'x' }, 'a prompt without a name'],
      [{ name: 'x'.repeat(300) }, 'a prompt with a name of 300 characters'],
      [{ name: 'x', arguments: {} }, 'prompt "x": its arguments are no list of arguments'],
      [{ name: 'x', arguments: [{ description: 'd' }] }, 'prompt "x": its arguments are no list of arguments'],
      [{ name: 'x', arguments: [{ name: 'a', required: 'yes' }] }, 'prompt "x": its arguments are no list of arguments'],
      [{ name: 'x', arguments: null }, 'prompt "x": its arguments are no list of arguments'],
    ],
    resources: [
      ['x', 'a resource that is no object'],
      [{ name: 'x' }, 'a resource without a uri'],
      [{ name: 'x', uri: 7 }, 'a resource without a uri'],
      [{ name: 'x', uri: `a:${long}` }, 'a resource with a uri of 5002 characters'],
      [{ name: 'x', uri: 'x/y' }, 'resource "x/y": its uri is no URI'],
      [{ uri: 'a:b' }, 'resource "a:b": it has no name'],
      [{ uri: 'a:b', name: 7 }, 'resource "a:b": it has no name'],
    ],
    templates: [
      [null, 'a resource template that is no object'],
      [{ name: 'x' }, 'a resource template without a uriTemplate'],
      [{ uriTemplate: long, name: 'x' }, 'a resource template with a uriTemplate of 5000 characters'],
      [{ uriTemplate: 'a:{b}' }, 'resource template "a:{b}": it has no name'],
    ],
  }
  for (const kind of listKinds)
    for (const [entry, reason] of rows[kind])
      test(`${kind}: ${JSON.stringify(entry).slice(0, 60)}`, async () => {
        const good = fit[kind]('good')
        const { parsed, dropped } = await read(kind, [page(kind, [entry, good])])
        assert.deepEqual([parsed, dropped], [[good], [reason]])
      })
})

describe('optional members that strict clients refuse are left out, and the entry stays', () => {
  const described: readonly object[] = [
    ...['title', 'description', 'icons', '_meta'].map((key) => ({ [key]: null })),
    { title: 7, description: [], _meta: [] },
    ...[['x'], [{}], [{ src: 'a', sizes: '48x48' }], [{ src: 'a', theme: 'blue' }]].map((icons) => ({ icons })),
  ]
  const located: readonly object[] = [
    ...described,
    { mimeType: 7, size: '7' },
    ...['x', { audience: 'user' }, { audience: ['me'] }, { priority: 2 }, { priority: '1' }].map((annotations) => ({ annotations })),
    ...['today', '2025-02-30T00:00:00Z', '2025-01-12', '2025-01-12T15:00:58'].map((lastModified) => ({ annotations: { lastModified } })),
  ]
  const odd = {
    tools: [...described, { outputSchema: 7 }, { annotations: { title: 7 } }],
    prompts: described,
    resources: located,
    templates: located,
  }
  for (const kind of listKinds)
    test(kind, async () => {
      const entries = odd[kind].map((members, i) => ({ ...fit[kind](`${i}`), ...members }))
      const { parsed, dropped } = await read(kind, [page(kind, entries)])
      assert.deepEqual(
        parsed,
        odd[kind].map((_, i) => fit[kind](`${i}`)),
      )
      assert.deepEqual([dropped, strict[kind](parsed)], [[], true])
    })
})

test('what is right is kept as the same characters, and its key is where the entry says', async () => {
  const icons = [{ src: 'https://x/i.png', mimeType: 'image/png', sizes: ['48x48'], theme: 'dark' }]
  const annotations = { audience: ['user', 'assistant'], priority: 0.5, lastModified: '2024-02-29T15:00:58.25+02:00' }
  const whole = { title: 'T', description: 'd', icons, _meta: { 'a/b': 1 }, mimeType: 'text/plain', size: 7, annotations, own: null }
  const entries = {
    tools: { ...fit.tools('x'), outputSchema: { type: 'object' } },
    prompts: { name: 'x', title: 'T', arguments: [{ name: 'a', title: 'A', description: 'd', required: true }, { name: 'b' }], icons },
    resources: { ...whole, uri: 'a://x', name: 'n' },
    templates: { ...whole, uriTemplate: 'a://{x}', name: 'n' },
  }
  for (const kind of listKinds) {
    const { entries: found } = await read(kind, [page(kind, [entries[kind]])])
    const [entry] = found
    assert.ok(entry !== undefined)
    assert.equal(entry.text, JSON.stringify(entries[kind]))
    assert.equal(entry.text.slice(entry.keyStart, entry.keyEnd), JSON.stringify(entry.key))
  }
})

test('whatever the members are, a strict client takes the list', async () => {
  const value = fc.oneof(
    fc.constantFrom<unknown>(null, 7, '', 'x', [], {}, [{}], ['user'], true, '2025-01-12T15:00:58Z', 'a:b'),
    fc.record(
      { audience: fc.constantFrom<unknown>(['user'], 'user'), priority: fc.double(), lastModified: fc.string() },
      { requiredKeys: [] },
    ),
    fc.array(fc.record({ name: fc.constantFrom<unknown>('x', 7), src: fc.constantFrom<unknown>('x', 7) }, { requiredKeys: [] })),
  )
  const keys = ['title', 'description', 'mimeType', 'size', 'icons', 'annotations', '_meta', 'name', 'arguments', 'uri', 'inputSchema']
  const members = fc.dictionary(fc.constantFrom(...keys), value)
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...listKinds), fc.array(members, { maxLength: 4 }), async (kind, all) => {
      const { parsed } = await read(kind, [page(kind, [...all.map((one, i) => ({ ...fit[kind](`${i}`), ...one }))])])
      assert.ok(strict[kind](parsed), JSON.stringify(parsed))
    }),
    { numRuns: 300 },
  )
})

for (const kind of listKinds)
  describe(`the pages of ${kind}`, () => {
    const some = (from: number, count: number) => Array.from({ length: count }, (_, i) => fit[kind](`${from + i}`))

    test('are drained, each by the cursor of the one before', async () => {
      const pages = [page(kind, some(0, 2), { nextCursor: 'b' }), page(kind, some(2, 2), { nextCursor: '' }), page(kind, some(4, 1))]
      const { parsed, cursors, dropped } = await read(kind, pages)
      assert.deepEqual([parsed, cursors, dropped], [some(0, 5), [undefined, 'b', ''], []])
    })

    test('are cut at the bounds, and that is told', async () => {
      let pages = 0
      const endless = await listEntries(kind, async () => messageOf(page(kind, some(pages++, 1), { nextCursor: `${pages}` })), {
        ...bounds,
        pages: 7,
      })
      assert.ok(endless.kind === 'list')
      assert.deepEqual([endless.entries.length, pages, endless.dropped], [7, 7, ['the pages after the first 7']])
      const many = await read(kind, [page(kind, some(0, 20))], { entries: 10 })
      assert.deepEqual([many.entries.length, many.dropped], [10, [`the ${kind} after the first 10`]])
      const exactly = await read(kind, [page(kind, some(0, 10))], { entries: 10 })
      assert.deepEqual([exactly.entries.length, exactly.dropped], [10, []])
      const size = JSON.stringify(fit[kind]('0')).length
      const long = await read(kind, [page(kind, some(0, 9))], { chars: size * 3 })
      assert.deepEqual([long.entries.length, long.dropped.length], [3, 1])
      const twice = await read(kind, [page(kind, some(0, 1), { nextCursor: 'a' })])
      assert.deepEqual([twice.cursors.length, twice.dropped[1]], [2, 'the rest of a list whose cursor came twice'])
    })

    test('two entries of one key: the first stays', async () => {
      const { parsed, dropped } = await read(kind, [page(kind, [{ ...fit[kind]('0'), title: 'first' }, fit[kind]('1'), fit[kind]('0')])])
      assert.deepEqual(parsed, [{ ...fit[kind]('0'), title: 'first' }, fit[kind]('1')])
      assert.match(dropped.join(), /listed twice/)
    })

    test('hold as long as the least of their hints says, and for all where each says so', async () => {
      const pageOf = (ttlMs: number, cacheScope: string, more = {}) => page(kind, [], { ttlMs, cacheScope, ...more })
      const { ttlMs, isPublic } = await read(kind, [pageOf(9, 'public', { nextCursor: 'a' }), pageOf(5, 'public')])
      assert.deepEqual([ttlMs, isPublic], [5, true])
      const mixed = await read(kind, [pageOf(9, 'public', { nextCursor: 'a' }), pageOf(-5, 'private')])
      assert.deepEqual([mixed.ttlMs, mixed.isPublic], [0, false])
      const none = await read(kind, [page(kind, [])])
      assert.deepEqual([none.ttlMs, none.isPublic], [undefined, false])
    })

    test('without the list are a refusal', async () => {
      const found = await listEntries(kind, async () => messageOf({ [lists[kind].member]: {} }), bounds)
      assert.equal(found.kind === 'refused' ? found.text : '', `answered ${lists[kind].method} without a list of ${lists[kind].member}`)
    })
  })

test('an invalid x-mcp-header makes a tool of a modern server invalid; an older server may have what it likes there', async () => {
  const properties = { a: { type: 'number', 'x-mcp-header': 'A' } }
  const entries = [fit.tools('x'), { name: 'odd', inputSchema: { type: 'object', properties } }]
  for (const [era, count] of [
    ['modern', 1],
    ['legacy', 2],
  ] as const satisfies readonly (readonly [EraName, number])[]) {
    const { keys } = await read('tools', [page('tools', entries)], { era })
    assert.equal(keys.length, count)
  }
})
