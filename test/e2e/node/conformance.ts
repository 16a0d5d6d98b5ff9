import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkout } from '../setup/cache.ts'
import { conformanceSuite, runConformance } from '../setup/conformance.ts'
import { kubebox } from '../setup/kubebox.ts'
import { startNodeCluster } from '../setup/node-cluster.ts'
import { mcplexImage } from '../setup/node-images.ts'
import { need } from '../setup/part.ts'
import { installs } from './install.ts'

test('conformance to the Gateway API is what docs/conformance.md says', async (t) => {
  const box = await need(t, kubebox())
  const suite = box && (await need(t, conformanceSuite(box)))
  if (box === undefined || suite === undefined) return
  const docs = await readFile(join(checkout, 'docs/conformance.md'), 'utf8')
  const expected = new Map([...docs.matchAll(/^\| (\w+) \| (passes|fails) \|/gm)].map(([, test = '', result = '']) => [test, result]))
  const named = (result: string) => [...expected].flatMap(([test, one]) => (one === result ? [test] : []))

  const cluster = await startNodeCluster(t, box, [...suite.images, await mcplexImage(t)])
  await installs({ cluster })
  const everywhere = ['--clusterrole', 'mcplex-provisioner', '--serviceaccount', 'mcplex-system:mcplex']
  await cluster.must('create', 'clusterrolebinding', 'mcplex-provisioner', ...everywhere)
  const running = runConformance(t, suite, {
    cluster,
    gatewayClass: 'mcplex',
    profiles: ['GATEWAY-HTTP'],
    features: ['Gateway', 'HTTPRoute', 'ReferenceGrant'],
    failing: named('fails'),
    unserved: ['gateway-conformance-infra/same-namespace-with-https-listener'],
  })
  const { report, results, wordsOf } = await running.catch(async (error) => {
    process.stderr.write(await cluster.lastWords())
    throw error
  })
  t.diagnostic(report)
  for (const [result, tests] of Map.groupBy(results.keys(), (test) => results.get(test) ?? '')) {
    t.diagnostic(`${result} (${tests.length}): ${tests.join(' ')}`)
  }

  const run = new Map([...results].filter(([, result]) => result !== 'skipped'))
  const changed = [...run].filter(([test, result]) => result !== expected.get(test))
  for (const [test, result] of changed) process.stderr.write(`== ${test} ${result} now\n${wordsOf(test).slice(-4000)}\n`)
  if (changed.some(([, result]) => result === 'fails')) process.stderr.write(await cluster.lastWords())
  assert.deepEqual(Object.fromEntries([...run].sort()), Object.fromEntries([...expected].sort()))
  const unnamed = [...results.keys()].filter((test) => !new RegExp(`\\b${test}\\b`).test(docs))
  assert.deepEqual(unnamed, [], 'docs/conformance.md says why a test is skipped')
})
