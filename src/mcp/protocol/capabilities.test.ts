import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allCapabilities, can, capability, declared, noCapabilities, readCapabilities } from './capabilities.ts'
import type { EraName } from './era-name.ts'

const { sampling, samplingTools, samplingContext, elicitationForm, elicitationUrl, roots, rootsChange, apps } = capability

const read = (text: string) => readCapabilities(text, { start: 0, end: text.length })

const reads: readonly (readonly [string, number])[] = [
  ['{}', 0],
  ['{"sampling":{}}', sampling],
  ['{"sampling":{"tools":{}}}', sampling | samplingTools],
  ['{"sampling":{"context":{}}}', sampling | samplingContext],
  ['{"sampling":{"tools":{},"context":{},"com.example":{}}}', sampling | samplingTools | samplingContext],
  // An empty object is a form alone (2025-11-25, elicitation, Capabilities).
  ['{"elicitation":{}}', elicitationForm],
  ['{"elicitation":{"form":{}}}', elicitationForm],
  ['{"elicitation":{"url":{}}}', elicitationUrl],
  ['{"elicitation":{"form":{},"url":{}}}', elicitationForm | elicitationUrl],
  ['{"elicitation":{"applyDefaults":true}}', elicitationForm],
  ['{"roots":{}}', roots],
  ['{"roots":{"listChanged":true}}', roots | rootsChange],
  ['{"roots":{"listChanged":false}}', roots],
  ['{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}', apps],
  ['{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/plain","text\\/html;profile=mcp-app"]}}}', apps],
]

for (const [text, flags] of reads) test(`${text} is ${flags}`, () => assert.equal(read(text), flags))

test('a declaration is read where it stands, however it is spaced and escaped', () => {
  const text = '{"capabilities": { "elicitation" : { "url" : { } } , "r\\u006fots" : { "listChanged" : true } } , "x":{"sampling":{}}}'
  const start = text.indexOf('{', 1)
  assert.equal(readCapabilities(text, { start, end: text.indexOf(' , "x"') }), elicitationUrl | roots | rootsChange)
})

/** What is no declaration: members of another type, what is not carried from end to end, pages of another type. */
const nothing = [
  '{"sampling":null,"elicitation":true,"roots":[],"extensions":"io.modelcontextprotocol/ui"}',
  '{"experimental":{"sampling":{}},"tasks":{"requests":{"sampling":{"createMessage":{}}}}}',
  '{"extensions":{}}',
  '{"extensions":{"io.modelcontextprotocol/ui":{}}}',
  '{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":[]}}}',
  '{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":"text/html;profile=mcp-app"}}}',
  '{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html"]}}}',
  '{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html; profile=mcp-app"]}}}',
  '{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app2",7,null]}}}',
  '{"extensions":{"com.example/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}',
  '{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}',
]

for (const text of nothing) test(`${text} is nothing`, () => assert.equal(read(text), noCapabilities))

test('a member of another type says no more than that its whole is there', () => {
  assert.equal(read('{"sampling":{"tools":true,"context":null}}'), sampling)
  assert.equal(read('{"elicitation":{"url":true}}'), elicitationForm)
  assert.equal(read('{"roots":{"listChanged":"true"}}'), roots)
})

const ui = '"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}'

const declares: readonly (readonly [number, EraName, string])[] = [
  [noCapabilities, 'legacy', '{}'],
  [noCapabilities, 'modern', '{}'],
  [sampling, 'legacy', '{"sampling":{}}'],
  [sampling | samplingTools | samplingContext, 'modern', '{"sampling":{"tools":{},"context":{}}}'],
  // As revisions before 2025-11-25 say it too.
  [elicitationForm, 'legacy', '{"elicitation":{}}'],
  [elicitationForm, 'modern', '{"elicitation":{}}'],
  [elicitationUrl, 'legacy', '{"elicitation":{"url":{}}}'],
  [elicitationForm | elicitationUrl, 'modern', '{"elicitation":{"form":{},"url":{}}}'],
  [roots, 'legacy', '{"roots":{}}'],
  [roots | rootsChange, 'legacy', '{"roots":{"listChanged":true}}'],
  // 2026-07-28 has no notification of it.
  [roots | rootsChange, 'modern', '{"roots":{}}'],
  [apps, 'modern', `{${ui}}`],
  [
    allCapabilities,
    'legacy',
    `{"sampling":{"tools":{},"context":{}},"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true},${ui}}`,
  ],
]

for (const [flags, era, text] of declares) test(`${flags} is ${text} for a ${era} server`, () => assert.equal(declared(flags, era), text))

test('every set comes back as it was declared, without what has no way to be said', () => {
  for (let flags = noCapabilities; flags <= allCapabilities; flags++) {
    const inner = (can(flags, sampling) ? 0 : samplingTools | samplingContext) | (can(flags, roots) ? 0 : rootsChange)
    assert.equal(read(declared(flags, 'legacy')), flags & ~inner, `${flags} to a legacy server`)
    assert.equal(read(declared(flags, 'modern')), flags & ~inner & ~rootsChange, `${flags} to a modern server`)
    JSON.parse(declared(flags, 'legacy'))
  }
  assert.equal(allCapabilities, 255)
})

test('can: all of the flags, not one of them', () => {
  assert.ok(can(sampling | samplingTools, sampling))
  assert.ok(can(sampling, noCapabilities))
  assert.ok(!can(sampling, sampling | samplingTools))
})
