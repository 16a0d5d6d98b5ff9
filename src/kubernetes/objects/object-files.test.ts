import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readObjects, readObjectsIn } from './object-files.ts'
import { refKey, refOf } from './world.ts'

const secret = (name: string): string => `apiVersion: v1\nkind: Secret\nmetadata: { name: ${name} }\n`

test('objects of streams, lists and JSON, in the namespace that they say or the one that is given', () => {
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: n }\n'
  const rows: readonly [text: string, keys: readonly string[]][] = [
    ['', []],
    ['---\n---\n# nothing\n', []],
    [secret('a'), ['/Secret/given/a']],
    ['apiVersion: v1\nkind: Secret\nmetadata: { name: a, namespace: own }\n', ['/Secret/own/a']],
    [namespace, ['/Namespace//n']],
    ['apiVersion: example.com/v1\nkind: Thing\nmetadata: { name: t }\n', ['example.com/Thing//t']],
    [`${secret('a')}---\n${secret('b')}`, ['/Secret/given/a', '/Secret/given/b']],
    [JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'j' } }), ['/Secret/given/j']],
    [`kind: List\napiVersion: v1\nitems:\n- ${secret('a').trim().replaceAll('\n', '\n  ')}\n`, ['/Secret/given/a']],
    ['kind: List\napiVersion: v1\nitems: []\n', []],
  ]
  for (const [text, keys] of rows) {
    const { objects, problems } = readObjectsIn(text, 'f', 'given')
    assert.deepEqual([objects.map((object) => refKey(refOf(object))), problems], [keys, []], text)
  }
})

test('what is no object is said with its file and line, and the rest is read', () => {
  const rows: readonly [text: string, line: number, problem: RegExp][] = [
    [`${secret('a')}---\nkind: Secret\n`, 5, /no Kubernetes object/],
    [`${secret('a')}---\n[1]\n`, 5, /no Kubernetes object/],
    [`${secret('a')}---\nkind: [\n`, 6, /./],
    [`${secret('a')}---\na: hidden\na: hidden\n`, 6, /^(?!.*hidden)/],
    [`${secret('a')}---\n${secret('a')}`, 5, /^Secret default\/a is already in f:1/],
    [`${secret('a')}---\na: *b\n`, 5, /alias/i],
    [`${secret('a')}---\nkind: List\nitems:\n- kind: Secret\n`, 7, /no Kubernetes object/],
  ]
  for (const [text, line, problem] of rows) {
    const { objects, problems } = readObjectsIn(text, 'f')
    assert.equal(objects.length, 1, text)
    assert.deepEqual(
      problems.map((one) => [one.file, one.line]),
      [['f', line]],
      text,
    )
    assert.match(problems[0]?.text ?? '', problem, text)
  }
})

test('a folder is its own YAML and JSON files; what can not be read is a problem like any other', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'inner'))
  for (const [name, text] of [
    ['b.yml', secret('b')],
    ['a.yaml', secret('a')],
    ['notes.md', 'no: {'],
    ['inner/c.yaml', secret('c')],
  ] as const) {
    writeFileSync(join(folder, name), text)
  }
  const names = (paths: readonly string[]) => readObjects(paths).objects.map((object) => object.metadata.name)
  assert.deepEqual(names([folder]), ['a', 'b'])
  assert.deepEqual(names([join(folder, 'inner'), join(folder, 'b.yml')]), ['c', 'b'])
  rmSync(join(folder, 'inner/c.yaml'))
  const { problems } = readObjects([join(folder, 'none'), join(folder, 'inner')])
  assert.deepEqual(
    problems.map(({ file, text }) => [file, text]),
    [
      [join(folder, 'none'), 'there is no such file'],
      [join(folder, 'inner'), 'no file here ends with .yaml, .yml or .json'],
    ],
  )
})
