import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ListKind, listKinds } from '../mcp/mcp.ts'
import { cursorText, pageAt } from './cursors.ts'
import { createExpose } from './expose-answer.ts'
import { pagesOf } from './list-pages.ts'
import { buildTable } from './list-table.ts'
import { entry, keys, list, listIn, open, refusal, result, scope, upstream } from './open-for-test.ts'

test('walking the pages gives each entry exactly once, in order, within the bounds, for any sizes', () => {
  const sizes = fc.array(fc.nat({ max: 60 }), { maxLength: 40 })
  fc.assert(
    fc.property(
      sizes,
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 400 }),
      fc.constantFrom(...listKinds),
      (list, entries, chars, kind) => {
        const own = list.map((size, i) => entry(kind, `${i}${'x'.repeat(size)}`))
        const server = { name: 'a', upstream: upstream('a', {}), isPrefixed: true, isRequired: false }
        const merged = [{ server, expose: createExpose('a', () => false) }]
        const table = buildTable(kind, merged, [own], undefined, () => false)
        const read = pagesOf(table, 'legacy', { entries, chars })
        const walked: string[] = []
        for (let index: number | undefined = 0; index !== undefined; ) {
          const page: (typeof read.pages)[number] | undefined = read.pages[index]
          assert.ok(page)
          const [shown] = Object.values(JSON.parse(page.text)) as [object[]]
          assert.ok(shown.length <= entries)
          assert.ok(shown.length <= 1 || JSON.stringify(shown).length <= chars + 2)
          assert.ok(shown.length > 0 || list.length === 0)
          walked.push(...shown.map((one) => JSON.stringify(one)))
          const next: (typeof read.pages)[number] | undefined = read.pages[index + 1]
          index = next === undefined ? undefined : pageAt(read, cursorText(read, next))
        }
        assert.deepEqual(
          walked,
          pagesOf(table, 'legacy', { entries: 1000, chars: 1e9 }).pages.flatMap((page) => {
            const [shown] = Object.values(JSON.parse(page.text)) as [object[]]
            return shown.map((one) => JSON.stringify(one))
          }),
        )
        assert.equal(walked.length, list.length)
      },
    ),
    { numRuns: 200 },
  )
})

const many = (kind: ListKind, count: number) => Array.from({ length: count }, (_, i) => entry(kind, `x:${i}`))

test('a long list comes in pages of a thousand, of one cache hint, and every page says who is missing', () => {
  for (const kind of listKinds) {
    const [a, b] = [upstream('a', { [kind]: many(kind, 1500) }), upstream('b', { [kind]: many(kind, 700) })]
    b.state = 'down'
    const { catalog } = open([a, b], { isPrefixed: true })
    const walked: unknown[] = []
    const sizes: number[] = []
    let cursor: string | undefined
    do {
      const page = result(list(catalog, kind, 'modern', cursor))
      const names = keys(page)
      sizes.push(names.length)
      walked.push(...names)
      assert.deepEqual([page.cache, page.hasMeta], [{ ttlMs: 0, scope: 'public' }, true])
      const body: { nextCursor?: string; _meta: object } = JSON.parse(page.result)
      assert.deepEqual(body._meta, { 'mcplex.dev/missing': ['b'] })
      cursor = body.nextCursor
    } while (cursor !== undefined)
    assert.deepEqual(sizes, [1000, 1000, 200])
    assert.equal(new Set(walked).size, 2200)
    assert.match(String(walked[1500]), /^b[_+]x:0$/)
  }
})

test('a cursor that is made up, of another list, of another caller or of the list as it was starts nobody anywhere', () => {
  const server = upstream('a', { tools: many('tools', 1001), prompts: many('prompts', 1001) })
  const { catalog } = open([server])
  const cursorOf = (kind: ListKind): string => JSON.parse(result(list(catalog, kind)).result).nextCursor
  const cursor = cursorOf('tools')
  assert.equal(keys(list(catalog, 'tools', 'modern', cursor)).length, 1)
  const [text, bound] = JSON.parse(cursor) as [string, string[]]
  const refused = [
    list(catalog, 'tools', 'modern', ''),
    list(catalog, 'tools', 'modern', 'made up'),
    list(catalog, 'tools', 'modern', JSON.stringify([text.replace(/1000$/, '7'), bound])),
    list(catalog, 'tools', 'modern', JSON.stringify(['', bound])),
    list(catalog, 'tools', 'modern', cursorOf('prompts')),
    listIn(catalog, 'tools', ['route', 'other'], 'modern', cursor),
    listIn(catalog, 'tools', scope.slice(0, 1), 'modern', cursor),
  ]
  for (const answer of refused) {
    assert.equal(refusal(answer).reason, 'invalid-params')
    assert.match(refusal(answer).text, /start again/)
  }
  server.lists.tools = [...many('tools', 1001), entry('tools', 'new')]
  assert.equal(refusal(list(catalog, 'tools', 'modern', cursor)).reason, 'invalid-params')
  server.lists.tools = many('tools', 1001)
  assert.equal(keys(list(catalog, 'tools', 'modern', cursor)).length, 1)
})
