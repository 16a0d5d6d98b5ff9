import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { createSseParser, type SseEvent, sseComment, sseEvent } from './sse.ts'

const encode = (text: string) => new TextEncoder().encode(text)

function parse(chunks: readonly Uint8Array[], maxEventBytes = 100_000): SseEvent[] | 'too-large' {
  const parser = createSseParser({ maxEventBytes })
  const events: SseEvent[] = []
  for (const chunk of chunks) {
    const some = parser.feed(chunk)
    if (some === 'too-large') return some
    events.push(...some)
  }
  return events
}

const byteByByte = (bytes: Uint8Array) => Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))

describe('the SSE parser', () => {
  const rows: readonly (readonly [string, string, readonly SseEvent[]])[] = [
    ['one event', 'data: a\n\n', [{ data: 'a' }]],
    ['all fields', 'event: message\nid: 7\nretry: 1500\ndata: a\n\n', [{ event: 'message', id: '7', retry: 1500, data: 'a' }]],
    ['fields in any order', 'data: a\nid: 7\n\n', [{ id: '7', data: 'a' }]],
    [
      'fields of one event only',
      'event: x\nid: 1\nretry: 2\ndata: a\n\ndata: b\n\n',
      [{ event: 'x', id: '1', retry: 2, data: 'a' }, { data: 'b' }],
    ],
    ['lines joined', 'data: a\ndata:\ndata: b\n\n', [{ data: 'a\n\nb' }]],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', [{ data: 'a' }, { data: 'b' }]],
    ['CR', 'data: a\r\rdata: b\r\r', [{ data: 'a' }, { data: 'b' }]],
    ['mixed line ends', 'data: a\r\n\ndata: b\n\rdata: c\r\r\n', [{ data: 'a' }, { data: 'b' }, { data: 'c' }]],
    ['one leading space removed', 'data:  a \n\ndata:b\n\ndata:\tc\n\n', [{ data: ' a ' }, { data: 'b' }, { data: '\tc' }]],
    ['a colon in the value', 'data: {"a":1}\n\n', [{ data: '{"a":1}' }]],
    ['comments', ': hello\ndata: a\n:\n:data: b\n\n', [{ data: 'a' }]],
    ['a field without colon', 'data\n\ndata\ndata\n\n', [{ data: '' }, { data: '\n' }]],
    ['unknown fields', 'dat: x\nDATA: x\n data: x\ndata : x\ndata: a\n\n', [{ data: 'a' }]],
    ['no event without data', 'event: x\n\n\n\n: c\n\ndata: a\n\n', [{ data: 'a' }]],
    ['an id and retry without data', 'event: x\nid: 1\n\nretry: 20\n\ndata: a\n\n', [{ id: '1' }, { retry: 20 }, { data: 'a' }]],
    ['an id and an empty data line', 'id: 1\ndata:\n\n', [{ id: '1', data: '' }]],
    ['an empty event name is none', 'event: x\nevent:\ndata: a\n\n', [{ data: 'a' }]],
    ['the last id and name of an event', 'id: 1\nid: 2\nevent: a\nevent: b\ndata: x\n\n', [{ id: '2', event: 'b', data: 'x' }]],
    ['an id with NUL is no id', 'id: 1\nid: 2\0\ndata: x\n\n', [{ id: '1', data: 'x' }]],
    ['retry of digits only', 'retry: 1x\nretry: -1\nretry: \nretry: 1.5\ndata: a\n\n', [{ data: 'a' }]],
    ['a byte order mark at the start', '\ufeffdata: a\n\n', [{ data: 'a' }]],
    ['a byte order mark elsewhere', '\ufeff\ufeffdata: a\n\n\ufeffdata: b\ndata: \ufeff\n\n', [{ data: '\ufeff' }]],
    ['characters of several bytes', 'data: é€😀\n\n', [{ data: 'é€😀' }]],
    ['other line separators are characters', 'data: a\u2028b\u0085c\vd\n\n', [{ data: 'a\u2028b\u0085c\vd' }]],
    ['the end cuts an event off', 'data: a\n\ndata: b\n', [{ data: 'a' }]],
    ['nothing', '', []],
  ]
  for (const [title, text, expected] of rows) {
    test(title, () => {
      assert.deepEqual(parse([encode(text)]), expected)
      assert.deepEqual(parse(byteByByte(encode(text))), expected)
    })
  }

  test('gives an event with its last byte, also where that is a CR', () => {
    const parser = createSseParser({ maxEventBytes: 100 })
    assert.deepEqual(parser.feed(encode('data: a\r')), [])
    assert.deepEqual(parser.feed(encode('\r')), [{ data: 'a' }])
    assert.deepEqual(parser.feed(encode('\ndata: b\n\n')), [{ data: 'b' }])
  })
  test('puts a long line together, however it is cut', () => {
    const data = Array.from({ length: 1000 }, (_, i) => `${i}€`).join()
    const bytes = encode(`data: ${data}\n\n`)
    for (const size of [1, 7, 300]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
      assert.deepEqual(parse(chunks), [{ data }])
    }
  })
  test('does not keep the bytes that it was fed', () => {
    const parser = createSseParser({ maxEventBytes: 100 })
    const chunk = encode('data: a')
    parser.feed(chunk)
    chunk.fill(0x78)
    assert.deepEqual(parser.feed(encode('b\n\n')), [{ data: 'ab' }])
  })
  test('reads the bytes of a view into a larger buffer, and no others', () => {
    assert.deepEqual(parse([encode('XXdata: a\n\nXX').subarray(2, 11)]), [{ data: 'a' }])
  })
})

describe('the SSE parser is bounded', () => {
  const max = 1000
  const filler = encode('x'.repeat(500))
  const endless: readonly (readonly [string, string, Uint8Array])[] = [
    ['a line', 'data: ', filler],
    ['a comment', ':', filler],
    ['a field name', '', filler],
    ['lines of data', '', encode('data: xxxx\n')],
    ['empty lines of data', '', encode('data\n')],
  ]
  for (const [title, start, chunk] of endless) {
    test(`${title} without end`, () => {
      const parser = createSseParser({ maxEventBytes: max })
      parser.feed(encode(start))
      let fed = 0
      while (parser.feed(chunk) !== 'too-large') {
        fed += chunk.length
        assert(fed <= 10 * max)
      }
      assert.equal(parser.feed(encode('\n\ndata: a\n\n')), 'too-large')
    })
  }
  test('to data of so many bytes', () => {
    for (const [character, bytes] of [
      ['x', 1],
      ['€', 3],
    ] as const) {
      const most = character.repeat(Math.floor(max / bytes))
      assert.deepEqual(parse([encode(`data:${most}\n\n`)], max), [{ data: most }])
      assert.equal(parse([encode(`data:${most}${character}\n\n`)], max), 'too-large')
    }
    assert.deepEqual(parse([encode(`data:${'x'.repeat(max - 2)}\ndata:x\n\n`)], max), [{ data: `${'x'.repeat(max - 2)}\nx` }])
    assert.equal(parse([encode(`data:${'x'.repeat(max - 1)}\ndata:x\n\n`)], max), 'too-large')
  })
  test('in its type and id too', () => {
    const long = 'x'.repeat(5000)
    assert.deepEqual(parse([encode(`event: ${long}\nid: ${long}\ndata: a\n\n`)]), [{ event: 'unknown', id: '', data: 'a' }])
  })
  test('in what is held of an event of many short lines, which is known', () => {
    const parser = createSseParser({ maxEventBytes: max })
    parser.feed(encode('data: ab\n'.repeat(100)))
    assert.equal(parser.heldBytes, 299)
    parser.feed(encode('data: c'))
    assert.equal(parser.heldBytes, 306)
    parser.feed(encode('\n\n'))
    assert.equal(parser.heldBytes, 0)
  })
  test('and holds nothing once it is closed', () => {
    const parser = createSseParser({ maxEventBytes: max })
    parser.feed(encode('data: a\ndata: b'))
    parser.close()
    assert.deepEqual([parser.heldBytes, parser.feed(encode('\n\n'))], [0, 'too-large'])
  })
  test('but not in the number of events and comments', () => {
    const text = `${'data: xxxx\n\n'.repeat(max)}${': keep\n'.repeat(max)}`
    assert.equal(parse([encode(text)], max)?.length, max)
  })
})

describe('the SSE parser, for any stream', () => {
  const line = fc.oneof(
    fc.constantFrom('', '', 'data', 'data:', 'data: ', 'event:', 'id', 'retry:5', ':', ': c'),
    fc
      .tuple(
        fc.constantFrom('data', 'data', 'event', 'id', 'retry', 'other', ''),
        fc.constantFrom(':', ': ', ':  ', ''),
        fc.string({ unit: 'binary', maxLength: 5 }),
      )
      .map((parts) => parts.join('')),
  )
  const text = fc.array(fc.tuple(line, fc.constantFrom('\n', '\n', '\r\n', '\r')), { maxLength: 20 }).map((lines) => lines.flat().join(''))
  const bytes = fc.oneof(
    text.map(encode),
    text.map((one) => encode(`\ufeff${one}`)),
    fc.uint8Array({ maxLength: 30 }),
  )
  const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 10 })

  test('gives the same events however it is cut', () => {
    fc.assert(
      fc.property(bytes, cuts, (stream, at) => {
        const points = [0, ...at.filter((point) => point < stream.length).sort((a, b) => a - b), stream.length]
        const chunks = points.slice(1).map((end, i) => stream.subarray(points[i], end))
        const once = parse([stream])
        assert.deepEqual(parse(chunks), once)
        assert.deepEqual(parse(byteByByte(stream)), once)
      }),
      { numRuns: 500 },
    )
  })

  test('gives the events that eventsource-parser gives', () => {
    fc.assert(
      fc.property(bytes, (stream) => {
        const expected: SseEvent[] = []
        const oracle = createParser({
          onEvent: ({ event, id, data }) => expected.push({ ...(event ? { event } : {}), ...(id === undefined ? {} : { id }), data }),
        })
        const text = new TextDecoder().decode(stream)
        // The oracle waits for what follows a last CR.
        oracle.feed(text.endsWith('\r') ? `${text}\n` : text)
        const events = parse([stream])
        assert(Array.isArray(events))
        assert.deepEqual(
          events.filter(({ data }) => data !== undefined).map(({ retry, ...rest }) => rest),
          expected,
        )
      }),
      { numRuns: 1000 },
    )
  })
})

describe('framing', () => {
  test('an event is its name and its data, line by line', () => {
    assert.equal(sseEvent('{"a":1}'), 'data: {"a":1}\n\n')
    assert.equal(sseEvent('{}', 'message'), 'event: message\ndata: {}\n\n')
    assert.equal(sseEvent('a\nb\r\nc\rd\n'), 'data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n')
    assert.equal(sseEvent(''), 'data: \n\n')
  })
  test('a comment cannot become an event', () => {
    assert.equal(sseComment(), ': \n\n')
    assert.deepEqual(parse([encode(sseComment('keep\n\ndata: x\r\rdata: y'))]), [])
  })
  test('what is framed is read again, line ends as LF', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ' ', ':', 'é', '\n', '\r', '\ufeff') }), (data) => {
        assert.deepEqual(parse([encode(sseComment(data) + sseEvent(data, 'e'))]), [{ event: 'e', data: data.replaceAll(/\r\n|\r/g, '\n') }])
      }),
    )
  })
})
