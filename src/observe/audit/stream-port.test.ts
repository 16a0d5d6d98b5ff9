import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TextStream } from '../records/records.ts'
import { createStreamPort } from './stream-port.ts'

const lines = Buffer.from('{"a":1}\n{"b":"é"}\n')

test('a batch is taken when the stream says that it is written, and not when it fails', async () => {
  let text = ''
  let fault: 'fails' | 'throws' | undefined
  const stream: TextStream = {
    on() {},
    write(some, done) {
      if (fault === 'throws') throw new Error('EPIPE')
      if (fault === undefined) text += some
      done?.(fault === undefined ? undefined : new Error('ENOSPC'))
    },
  }
  const port = createStreamPort('stdout', stream)
  assert.deepEqual(await port.prepare(), { kind: 'ready' })
  assert.deepEqual(await port.send(lines), { lines: 2, failure: undefined })
  fault = 'fails'
  assert.deepEqual(await port.send(lines), { lines: 0, failure: { kind: 'failed', text: 'ENOSPC' } })
  fault = 'throws'
  assert.deepEqual(await port.send(lines), { lines: 0, failure: { kind: 'failed', text: 'EPIPE' } })
  assert.deepEqual(port.sendNow(lines), { lines: 0, failure: { kind: 'failed', text: 'EPIPE' } })
  assert.equal(text, lines.toString())
})

test('a reader that has stopped is waited for; at the end of the process no more than 1 MiB is put behind', async () => {
  let taken = 0
  let release = () => {}
  const stream = {
    writableLength: 0,
    on() {},
    write(text: string, done?: () => void) {
      taken += text.length
      if (done) release = done
    },
  } satisfies TextStream
  const port = createStreamPort('stdout', stream)
  let isDone = false
  const sent = port.send(lines).then(() => {
    isDone = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isDone, false)
  release()
  await sent
  stream.writableLength = 1024 * 1024
  assert.equal(port.sendNow(lines).lines, 0)
  stream.writableLength = 1000
  assert.equal(port.sendNow(lines).lines, 2)
  assert.equal(taken, 2 * lines.toString().length)
})
