import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parse } from 'yaml'
import { runCli } from '../cli.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { documentText } from './translate.ts'

const seed = join(import.meta.dirname, '../../../test/seed')

async function mcplex(...args: readonly string[]) {
  const written = { stdout: '', stderr: '' }
  const output = (name: keyof typeof written) => ({
    write(text: string) {
      written[name] += text
    },
    on() {},
  })
  const terminal: Terminal = { stdout: output('stdout'), stderr: output('stderr'), env: {}, cwd: () => '/', on() {}, exit() {} }
  return { code: await runCli(args, terminal), ...written }
}

function fileWith(t: TestContext, text: string, name = 'objects.yaml'): string {
  const folder = mkdtempSync(join(tmpdir(), 'mcplex-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const gateway = (namespace: string) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw, namespace: ${namespace} }
spec: { gatewayClassName: mcplex, listeners: [{ name: http, port: 8080, protocol: HTTP }] }
`
const route = (kind: string, name: string) => `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r, namespace: a }
spec: { parentRefs: [{ name: gw }], rules: [{ backendRefs: [{ group: agentgateway.dev, kind: ${kind}, name: ${name} }] }] }
`
const backend = `---
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: { name: b, namespace: a }
spec:
  mcp: { targets: [{ name: one, static: { host: one.example.com, port: 80 } }] }
  policies: { auth: { key: hunter2$$ } }
`

test("the post's objects become a document that check takes, as YAML and as JSON", async (t) => {
  for (const format of ['text', 'json']) {
    const { code, stdout, stderr } = await mcplex('translate', '-f', seed, '--output', format)
    assert.deepEqual([code, stderr], [0, ''])
    const printed: { readonly routes: readonly { readonly name: string }[] } = format === 'json' ? JSON.parse(stdout) : parse(stdout)
    assert.equal(printed.routes[0]?.name, 'kgateway-system/mcp-route')
    const checked = await mcplex('check', fileWith(t, stdout))
    assert.deepEqual([checked.code, /is good: 1 listener, 2 servers, 0 agents\n$/.test(checked.stderr)], [0, true], checked.stderr)
  }
})

test('a secret is never printed, and what is printed in its place can be checked', async (t) => {
  for (const format of ['text', 'json']) {
    const { code, stdout, stderr } = await mcplex(
      'translate',
      '-f',
      fileWith(t, gateway('a') + route('AgentgatewayBackend', 'b') + backend),
      '--output',
      format,
    )
    assert.equal(code, 0, stderr)
    assert.doesNotMatch(stdout + stderr, /hunter2/)
    assert.match(stdout, /\[redacted\]/)
    assert.match(stderr, /\[redacted\]: write \$\{VAR\}/)
    assert.equal((await mcplex('check', fileWith(t, stdout))).code, 0)
  }
})

test('what a status would complain of is said on stderr and ends with 1, beside the document', async (t) => {
  const { code, stdout, stderr } = await mcplex('translate', '-f', fileWith(t, gateway('a') + route('AgentgatewayBackend', 'none')))
  assert.equal(code, 1)
  assert.match(stderr, /^HTTPRoute a\/r at Gateway gw: ResolvedRefs False \(BackendNotFound\): .*AgentgatewayBackend a\/none.*\n$/)
  assert.equal(parse(stdout).routes.length, 1)
})

test('of several Gateways one must be named', async (t) => {
  const file = fileWith(t, gateway('a') + gateway('b'))
  for (const args of [[], ['--gateway', 'a/other']]) {
    const { code, stdout, stderr } = await mcplex('translate', '-f', file, ...args)
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /--gateway a\/gw or b\/gw\n$/)
  }
  assert.equal((await mcplex('translate', '-f', file, '--gateway', 'b/gw')).code, 0)
})

test('files that are broken, and Gateways that are not ours, end with 78', async (t) => {
  const rows: readonly [text: string, said: RegExp][] = [
    ['kind: Gateway\n', /objects\.yaml:1: it is no Kubernetes object/],
    [gateway('a').replace('gatewayClassName: mcplex', 'gatewayClassName: nginx'), /there is no Gateway of a class of/],
  ]
  for (const [text, said] of rows) {
    const { code, stdout, stderr } = await mcplex('translate', '-f', fileWith(t, text))
    assert.deepEqual([code, stdout], [78, ''], stderr)
    assert.match(stderr, said)
  }
  assert.equal((await mcplex('translate', '-f', '/nowhere')).code, 78)
  const none = await mcplex('translate', '-f', fileWith(t, gateway('a').replace('HTTP ', 'TCP ')))
  assert.equal(none.code, 1)
  assert.match(none.stderr, /UnsupportedProtocol/)
  assert.match(none.stdout, /^listeners: \[\]$/m)
  assert.equal((await mcplex('translate')).code, 2)
})

test("Gateways of another controller's class can be translated by that name", async (t) => {
  const theirs = `---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: mcplex }
spec: { controllerName: agentgateway.dev/agentgateway }
`
  const file = fileWith(t, gateway('a') + theirs)
  const { code, stderr } = await mcplex('translate', '-f', file)
  assert.equal(code, 78)
  assert.match(stderr, /^Gateway a\/gw is of class mcplex, which belongs to agentgateway.dev\/agentgateway: give --controller-name/)
  const named = await mcplex('translate', '-f', file, '--controller-name', 'agentgateway.dev/agentgateway')
  assert.deepEqual([named.code, parse(named.stdout).listeners.length], [0, 1], named.stderr)
  const other = fileWith(t, gateway('a').replace('gatewayClassName: mcplex', 'gatewayClassName: house'))
  assert.match((await mcplex('translate', '-f', other)).stderr, /^Gateway a\/gw is of class house, which is not among the objects\n/)
  assert.equal((await mcplex('translate', '-f', other, '--class', 'house')).code, 0)
})

test('a folder that is to be built first says how', async (t) => {
  for (const [name, said] of [
    ['kustomization.yaml', /kubectl kustomize/],
    ['Chart.yaml', /helm template/],
  ] as const) {
    const { code, stderr } = await mcplex('translate', '-f', dirname(fileWith(t, 'resources: []\n', name)))
    assert.equal(code, 78)
    assert.match(stderr, said)
  }
})

test('what readers would find too large with its line breaks and indentation is printed without them', () => {
  const yaml = `listeners:\n${'  - port: 80\n'.repeat(10)}`
  const bytes = { text: Buffer.byteLength(yaml), json: JSON.stringify(parse(yaml), undefined, 2).length + 1 }
  for (const output of ['text', 'json'] as const) {
    const whole = documentText(yaml, output, bytes[output])
    assert.equal(whole.length, bytes[output])
    const short = documentText(yaml, output, bytes[output] - 1)
    assert.match(short, /^\{"listeners":\[\{"port":80\},.*\}\n$/)
    assert.deepEqual([parse(whole), parse(short)], [parse(yaml), parse(yaml)])
  }
})

test('addresses of pods, which would soon be old, are not printed; addresses that no pod has leave their target out all the same', async (t) => {
  const objects = (address: string): string => `${gateway('a')}${route('AgentgatewayBackend', 'b')}---
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: { name: b, namespace: a }
spec: { mcp: { targets: [{ name: one, static: { host: s.a.svc.cluster.local, port: 80 } }] } }
---
apiVersion: v1
kind: Service
metadata: { name: s, namespace: a }
spec: { clusterIP: 10.96.0.5, ports: [{ port: 80, targetPort: 8000 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: s-1, namespace: a, labels: { kubernetes.io/service-name: s } }
addressType: IPv4
ports: [{ port: 8000, protocol: TCP }]
endpoints: [{ addresses: [${address}], conditions: { ready: true } }]
`
  const { code, stdout, stderr } = await mcplex('translate', '-f', fileWith(t, objects('10.1.2.3')))
  assert.deepEqual([code, stderr], [0, ''])
  assert.deepEqual(parse(stdout).backends['a/b'].servers.one.http, { host: 's.a.svc.cluster.local', port: 80 })
  const stray = await mcplex('translate', '-f', fileWith(t, objects('127.0.0.1')))
  assert.equal(stray.code, 1)
  assert.match(stray.stderr, /lists 127\.0\.0\.1, which is no pod's/)
})
