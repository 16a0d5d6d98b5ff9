import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open, upstream } from '../../catalog/open-for-test.ts'
import type { Item } from '../../mcp/mcp.ts'
import { anonymous, type Caller, type Head } from '../../mcp/mcp.ts'
import type { Asking } from '../../policy/policy.ts'
import { createCallerViews } from './caller-views.ts'
import type { Endpoint, Gate } from './endpoint.ts'

const { catalog } = open([upstream('s', { tools: ['x', 'y'] })])
const endpoint = { route: 'r', offers: () => catalog.offers(), instructions: undefined } as unknown as Endpoint['endpoint']
const target = { kind: 'catalog', name: 'r', catalog, endpoint, instructions: undefined } as unknown as Endpoint
const gate = {} as Gate
const callerOf = (id: string): Caller => ({ ...anonymous, kind: 'jwt', id })
const head = { method: 'POST', header: () => 'Bearer secret' } as unknown as Head

function sight(isByCaller: boolean, asked: Asking[] = []) {
  return {
    isByCaller,
    sees(asking: Asking, item: Item) {
      asked.push(asking)
      return { isAllowed: item.name === 'x', mayBeRefused: false, by: undefined }
    },
    reaches: () => true,
  }
}

test('a view that is the same for all requests of a caller is made once for each gate; others are made each time', () => {
  const views = createCallerViews()
  const [ada, bob] = [callerOf('ada'), callerOf('bob')]
  const first = views.of(target, gate, sight(true), ada, head)
  assert.equal(first.catalog.toolCount(), 1)
  assert.equal(views.of(target, gate, sight(true), ada, { ...head }), first)
  assert.notEqual(views.of(target, gate, sight(true), bob, head), first)
  assert.notEqual(views.of(target, {} as Gate, sight(true), ada, head), first)
  assert.notEqual(views.of(target, gate, sight(false), ada, head), views.of(target, gate, sight(false), ada, head))
})

test('a view that is remembered keeps no request’s credential; one that is not is asked with its own', () => {
  const [kept, own]: [Asking[], Asking[]] = [[], []]
  createCallerViews().of(target, gate, sight(true, kept), callerOf('ada'), head).catalog.toolCount()
  createCallerViews().of(target, gate, sight(false, own), callerOf('ada'), head).catalog.toolCount()
  assert.ok(kept.length > 0 && kept.every((asking) => asking.head.header('authorization') === undefined))
  assert.ok(own.length > 0 && own.every((asking) => asking.head === head))
})

test('no more views are remembered than there is room for, and those that are used stay', () => {
  const views = createCallerViews(100)
  const callers = Array.from({ length: 1000 }, (_, i) => callerOf(String(i)))
  const viewOf = (caller: Caller) => views.of(target, gate, sight(true), caller, head)
  const [often, ...others] = callers
  assert.ok(often)
  const first = viewOf(often)
  const made = others.map((caller) => {
    assert.equal(viewOf(often), first)
    return viewOf(caller)
  })
  const kept = others.toReversed().filter((caller, i) => viewOf(caller) === made.at(-1 - i))
  assert.ok(kept.length >= 49 && kept.length < 100, String(kept.length))
})
