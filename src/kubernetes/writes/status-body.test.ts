import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DesiredStatus, KubeObject, Raw } from '../objects/objects.ts'
import { leftovers, nextStatus } from './status-body.ts'

const now = '2026-02-02T00:00:00Z'
const then = '2026-01-01T00:00:00Z'
/** As it is desired, without a time. */
const wish = (type: string, status: string, reason = 'R'): Raw => ({ type, status, reason, message: 'm' })
/** As it stands in a status. */
const at = (time: string, type: string, status: string, reason = 'R'): Raw => ({ ...wish(type, status, reason), lastTransitionTime: time })

const object = (kind: string, status: Raw): KubeObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind,
  metadata: { name: 'x', namespace: 'ns' },
  status,
})
const whole = (before: Raw, status: Raw): DesiredStatus => ({ kind: 'whole', object: object('Gateway', before), status })
const parents = (before: Raw, entries: readonly Raw[]): DesiredStatus => {
  return { kind: 'entries', object: object('HTTPRoute', before), list: 'parents', entries }
}
const ours = (name: string, ...conditions: Raw[]): Raw => ({ parentRef: { name }, controllerName: 'us', conditions })
const theirs = (name: string): Raw => ({ parentRef: { name }, controllerName: 'them', conditions: [] })
const listener = (name: string, ...conditions: Raw[]): Raw => ({ name, conditions })

const rows: readonly [what: string, desired: DesiredStatus, expected: Raw | undefined][] = [
  ['the same but for times', whole({ conditions: [at(then, 'A', 'True')] }, { conditions: [wish('A', 'True')] }), undefined],
  [
    'the same in the order of the server',
    whole(
      { conditions: [at(then, 'B', 'True'), at(then, 'A', 'True')], listeners: [listener('b'), listener('a', at(then, 'A', 'True'))] },
      { conditions: [wish('A', 'True'), wish('B', 'True')], listeners: [listener('a', wish('A', 'True')), listener('b')] },
    ),
    undefined,
  ],
  ['nothing to say where nothing is said', parents({}, []), undefined],
  ['nothing to say but by others', parents({ parents: [theirs('g')] }, []), undefined],
  ['a new status', whole({}, { conditions: [wish('A', 'True')] }), { conditions: [at(now, 'A', 'True')] }],
  [
    'another reason keeps the time, another status does not',
    whole(
      { conditions: [at(then, 'A', 'True', 'Old'), at(then, 'B', 'True')] },
      { conditions: [wish('A', 'True', 'New'), wish('B', 'False')] },
    ),
    { conditions: [at(then, 'A', 'True', 'New'), at(now, 'B', 'False')] },
  ],
  [
    'a condition that is no more, and a member',
    whole({ addresses: ['x'], conditions: [at(then, 'A', 'True'), at(then, 'B', 'True')] }, { conditions: [wish('A', 'True')] }),
    { conditions: [at(then, 'A', 'True')] },
  ],
  [
    'a member alone',
    whole({ addresses: ['x'], conditions: [at(then, 'A', 'True')] }, { conditions: [wish('A', 'True')] }),
    { conditions: [at(then, 'A', 'True')] },
  ],
  [
    'times of listeners by their names',
    whole(
      { listeners: [listener('a', at(then, 'A', 'True')), listener('gone', at(then, 'A', 'True'))] },
      { listeners: [listener('new', wish('A', 'True')), listener('a', wish('A', 'True'))] },
    ),
    { listeners: [listener('new', at(now, 'A', 'True')), listener('a', at(then, 'A', 'True'))] },
  ],
  [
    'entries: others in place, ours in place, new ones at the end',
    parents({ parents: [theirs('a'), ours('b', at(then, 'A', 'True')), theirs('c')] }, [
      ours('d', wish('A', 'True')),
      ours('b', wish('A', 'False')),
    ]),
    { parents: [theirs('a'), ours('b', at(now, 'A', 'False')), theirs('c'), ours('d', at(now, 'A', 'True'))] },
  ],
  ['entries: ours go', parents({ parents: [ours('a'), theirs('a'), ours('b')] }, []), { parents: [theirs('a')] }],
  [
    'entries: no more than the list may hold',
    parents({ parents: Array.from({ length: 31 }, (_, index) => theirs(`t${index}`)) }, [ours('a'), ours('b')]),
    { parents: [...Array.from({ length: 31 }, (_, index) => theirs(`t${index}`)), ours('a')] },
  ],
]

for (const [what, desired, expected] of rows) {
  test(what, () => assert.deepEqual(nextStatus(desired.object, desired, 'us', now), expected))
}

const wished = { conditions: [wish('A', 'True')], listeners: [listener('a')] }
const left: readonly [what: string, before: Raw, managers: readonly string[], expected: Raw | undefined][] = [
  ['nothing is left', { listeners: [listener('a')] }, ['them', 'us'], undefined],
  ['a listener', { listeners: [listener('b'), listener('a')] }, ['them', 'us'], { listeners: [listener('a')] }],
  ['addresses', { addresses: [{ value: '1.2.3.4' }] }, ['them'], { addresses: null }],
  ['a condition stays', { conditions: [at(then, 'Painted', 'True')] }, ['them'], undefined],
  ['what is ours goes by itself', { listeners: [listener('b')], addresses: [{ value: '1.2.3.4' }] }, ['us'], undefined],
]
for (const [what, before, statusManagers, expected] of left) {
  test(`left by another: ${what}`, () => {
    const desired = whole(before, wished)
    const current = { ...desired.object, metadata: { ...desired.object.metadata, statusManagers } }
    assert.deepEqual(leftovers(current, desired, 'us'), expected)
  })
}
