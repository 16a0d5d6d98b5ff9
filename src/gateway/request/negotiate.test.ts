import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Head } from '../../mcp/mcp.ts'
import { acceptsEvents, checkPost } from './negotiate.ts'

function head(accept: string | undefined, type: string | undefined = 'application/json'): Head {
  const header = (name: string) => (name === 'accept' ? accept : name === 'content-type' ? type : undefined)
  return { method: 'POST', path: '/', query: '', host: '', listener: '', remote: '', header }
}

test('the body is JSON, in the one charset that JSON has', () => {
  const both = 'application/json, text/event-stream'
  for (const [type, reason] of [
    ['application/json', undefined],
    ['Application/JSON', undefined],
    ['application/json;charset=utf-8', undefined],
    ['application/json ; charset="UTF-8"', undefined],
    ['application/json; profile=x', undefined],
    ['application/json; charset=latin1', 'media-type'],
    ['application/json; profile=x; charset=utf-16', 'media-type'],
    ['application/jsonp', 'media-type'],
    ['application/vnd.api+json', 'media-type'],
    ['text/plain', 'media-type'],
    ['text/plain; application/json', 'media-type'],
    ['', 'media-type'],
  ] as const)
    assert.equal(checkPost(head(both, type))?.reason, reason, type)
})

test('Accept: what takes JSON, and what takes events', () => {
  for (const [accept, json, events] of [
    [undefined, true, true],
    ['application/json, text/event-stream', true, true],
    ['application/json', true, false],
    ['text/event-stream', false, true],
    ['APPLICATION/JSON;q=0.5,TEXT/*', true, true],
    ['*/*', true, true],
    ['application/*', true, false],
    ['text/*;q=0.1', false, true],
    ['text/html', false, false],
    ['', false, false],
    ['application/xml, image/*', false, false],
  ] as const) {
    assert.equal(checkPost(head(accept)) === undefined, json, String(accept))
    assert.equal(acceptsEvents(head(accept)), events, String(accept))
  }
})
