import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ChainHead, chainStart, createChainWriter, linkBytes, recordDigest } from './chain.ts'
import { type ChainCheckSettings, createChainCheck } from './check-chain.ts'

const key = new Uint8Array(32).fill(7)
const otherKey = new Uint8Array(32).fill(8)

/** Lines of a chain without their ends. */
function chainOf(count: number, keys: readonly (Uint8Array | undefined)[], { lost = 0, after = chainStart } = {}): readonly string[] {
  let head: ChainHead = after
  const lines: string[] = []
  for (let i = 0; i < count; i++) {
    const body = Buffer.from(`{"type":"audit","subject":"caller ${i % 3} é","arguments":{"seq":1,"digest":"x"}`)
    const target = Buffer.alloc(body.length + linkBytes)
    const made = createChainWriter(recordDigest(keys[i % keys.length])).append(target, 0, body, i === 1 ? lost : 0, head)
    head = made.head
    lines.push(target.toString('utf8', 0, made.end - 1))
  }
  return lines
}

function check(lines: readonly (string | Uint8Array)[], settings: Partial<ChainCheckSettings> = {}, isEnded = true) {
  const chain = createChainCheck({ keys: [key], after: undefined, ...settings })
  const faults = lines.flatMap((line, at) => {
    const fault = chain.line(Buffer.from(line), isEnded || at < lines.length - 1)
    return fault === undefined ? [] : [`${at + 1} ${fault.kind}`]
  })
  const { endFaults, ...summary } = chain.end()
  return { ...summary, faults: [...faults, ...endFaults.map(({ line, kind }) => `${line} ${kind}`)] }
}

test('a chain as it was made is good, and its ends are told', () => {
  for (const keys of [[key], [undefined]]) {
    const lines = chainOf(20, keys, { lost: 3 })
    const { digest, ...rest } = check(lines, { keys: keys.flatMap((one) => one ?? []) })
    assert.deepEqual(rest, { records: 20, first: 1, last: 20, lost: 3, faults: [] })
    assert.ok(lines.at(-1)?.includes(String(digest)))
  }
  assert.deepEqual(check([]), { records: 0, first: undefined, last: undefined, digest: undefined, lost: 0, faults: [] })
})

test('each kind of damage is named where it is', () => {
  const lines = chainOf(5, [key])
  const [a, b, c, d, e] = lines as [string, string, string, string, string]
  const begun = [a, b]
  const rows: readonly [name: string, lines: readonly string[], faults: readonly string[]][] = [
    ['removed', [a, b, d, e], ['3 removed']],
    ['the first removed', [c, d], ['1 removed']],
    ['swapped', [a, c, b, d], ['2 removed', '3 reordered']],
    ['doubled', [a, b, b, c], ['3 doubled']],
    ['altered', [a, b.replace('caller 1', 'caller 7'), c], ['2 altered']],
    ['the last altered', [a, b, c.replace('caller 2', 'caller 7')], ['3 altered']],
    ['a foreign line', [a, '{"level":"info"}', b], ['2 inserted']],
    ['an empty line', [a, '', b], ['2 torn']],
    ['torn in the midst', [a, b.slice(0, 40), b, c], ['2 torn']],
    ['torn tail', [a, b, c.slice(0, 40)], ['3 torn']],
    ['all of it twice', [...begun, ...begun], ['3 doubled', '4 doubled']],
    ['another chain', [a, b, ...chainOf(2, [undefined])], ['3 new-chain', '3 unkeyed']],
    ['of another key', chainOf(2, [otherKey]), ['1 altered', '2 altered']],
    ['white space', [a, `${b} `, c], ['2 inserted', '3 removed']],
    ['line ends of DOS', [`${a}\r`], ['1 inserted']],
  ]
  for (const [name, damaged, faults] of rows) assert.deepEqual(check(damaged).faults, faults, name)
  assert.deepEqual(check([a, b], {}, false).faults, ['2 torn'])
  const replaced = chainOf(3, [key], { after: { seq: 0, digest: chainStart.digest.replace('0', '1') } })
  assert.deepEqual(check(replaced).faults, ['1 replaced'])
})

test('a chain that begins elsewhere is good behind the digest that it follows, and behind no other', () => {
  const lines = chainOf(6, [key])
  const before = check(lines.slice(0, 3)).digest
  assert.deepEqual(check(lines.slice(3), { after: before ?? '' }).faults, [])
  assert.deepEqual(check(lines.slice(4), { after: before ?? '' }).faults, ['1 removed'])
})

test('a chain is followed through several keys, and none of them may be missing', () => {
  const lines = chainOf(6, [key, otherKey])
  assert.deepEqual(check(lines, { keys: [otherKey, key] }).faults, [])
  assert.deepEqual(check(lines).faults, ['2 altered', '4 altered', '6 altered'])
})

test('without the key the order is checked, and it is said that the rest is not', () => {
  const lines = chainOf(6, [key])
  assert.deepEqual(check(lines, { keys: [] }).faults, ['1 unproven'])
  assert.deepEqual(check(lines.toSpliced(2, 1), { keys: [] }).faults, ['3 removed', '1 unproven'])
})

test('with a key, records without one are good only where a keyed one follows', () => {
  const keyed = chainOf(3, [key])
  const mixed = chainOf(4, [undefined, key])
  assert.deepEqual(check(mixed).faults, [])
  assert.deepEqual(check(mixed.slice(0, 3)).faults, ['3 unkeyed'])
  const last = check(keyed)
  const forged = chainOf(2, [undefined], { after: { seq: 3, digest: last.digest ?? '' } })
  assert.deepEqual(check([...keyed, ...forged]).faults, ['4 unkeyed'])
})

test('any one change of a line, and any line that is removed, moved, doubled or put in, is found', () => {
  const index = fc.nat({ max: 11 })
  for (const keys of [[key], [undefined]]) {
    const lines = chainOf(12, keys)
    const settings = { keys: keys.flatMap((one) => one ?? []) }
    const good = check(lines, settings)
    assert.deepEqual(good.faults, [])
    const flip = fc.tuple(index, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, place, bits]) => {
      const line = Buffer.from(lines[at] ?? '')
      const spot = place % line.length
      line.writeUInt8(line.readUInt8(spot) ^ bits, spot)
      // A line end in its midst makes it two.
      return [...lines.slice(0, at), ...halves(line, line.indexOf(10)), ...lines.slice(at + 1)]
    })
    const removed = fc.nat({ max: 10 }).map((at) => lines.toSpliced(at, 1))
    const swapped = fc
      .tuple(index, index)
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => lines.with(a, lines[b] ?? '').with(b, lines[a] ?? ''))
    const doubled = fc.tuple(index, fc.nat({ max: 12 })).map(([from, to]) => lines.toSpliced(to, 0, lines[from] ?? ''))
    const inserted = fc
      .tuple(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.constantFrom(...chainOf(14, [otherKey]), ...chainOf(9, keys.toReversed(), { lost: 1 }).slice(1)),
        ),
        fc.nat({ max: 12 }),
      )
      .map(([line, at]) => lines.toSpliced(at, 0, line.replaceAll('\n', ' ')))
    const edited = fc
      .tuple(index, fc.nat(), fc.nat({ max: 5 }), fc.string({ maxLength: 5 }))
      .map(([at, place, gone, put]) => {
        const line = lines[at] ?? ''
        const from = place % line.length
        return lines.with(at, line.slice(0, from) + put.replaceAll('\n', ' ') + line.slice(from + gone))
      })
      .filter((changed) => changed.join('\n') !== lines.join('\n'))
    fc.assert(
      fc.property(fc.oneof(flip, removed, swapped, doubled, inserted, edited), (changed) => {
        assert.notDeepEqual(check(changed, settings).faults, [])
      }),
      { numRuns: 2000 },
    )
    // The end of a chain is the one thing that it can't vouch for itself: what is told of it is another.
    const shorter = check(lines.slice(0, -1), settings)
    assert.deepEqual(shorter.faults, [])
    assert.notEqual(shorter.digest, good.digest)
    assert.equal(shorter.last, 11)
  }
})

function halves(line: Uint8Array, cut: number): readonly Uint8Array[] {
  return cut < 0 ? [line] : [line.subarray(0, cut), line.subarray(cut + 1)]
}
