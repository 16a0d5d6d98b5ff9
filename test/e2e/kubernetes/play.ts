import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cluster } from '../setup/cluster.ts'
import type { Manifest } from './manifests.ts'
import { documentText, home, postFile, type Scene, untilSaid } from './scene.ts'
import { caughtUp } from './settled.ts'
import { allIsWell, type Situation, type Stage, thePost } from './situation.ts'

/** The post's files by the objects in them that situations touch. */
const files: Readonly<Record<string, string>> = {
  [`Gateway ${home}/agentgateway`]: 'gateway',
  [`HTTPRoute ${home}/mcp-route`]: 'httproute',
  [`Backend ${home}/mcp-backend`]: 'backend',
  'Service default/mcp-math-server': 'math-server',
}
const gateway = `${home}/agentgateway`

/** Goes through a situation, and back to the post's objects as they are: then all must be well again. */
export async function play(scene: Scene, { stages }: Situation, directory: string): Promise<void> {
  try {
    for (const stage of stages) {
      const before = await documentText(scene.read, gateway)
      await act(scene.cluster, stage, directory)
      await untilSaid(scene, stage.says ?? [], stage.serves)
      if ((await documentText(scene.read, gateway)) !== before) continue
      // What is to stay as it was must have had its time to change.
      await caughtUp(scene)
      await untilSaid(scene, stage.says ?? [], stage.serves)
    }
  } finally {
    await restore(scene.cluster, stages, directory)
  }
  await untilSaid(scene, allIsWell, thePost)
}

async function act(cluster: Cluster, { apply = [], remove = [], refused }: Stage, directory: string): Promise<void> {
  if (remove.length > 0) await cluster.must('delete', '--ignore-not-found', '-f', await fileOf(remove, directory))
  if (apply.length === 0) return
  const { code, stdout, stderr } = await cluster.run('apply', '-f', await fileOf(apply, directory))
  if (refused === undefined) assert.equal(code, 0, `${stdout}${stderr}`)
  else {
    assert.notEqual(code, 0, stdout)
    assert.match(stderr, refused)
  }
}

async function restore(cluster: Cluster, stages: readonly Stage[], directory: string): Promise<void> {
  const applied = stages.flatMap(({ apply = [] }) => apply)
  const removed = stages.flatMap(({ remove = [] }) => remove)
  const added = new Map(applied.filter((manifest) => files[keyOf(manifest)] === undefined).map((manifest) => [keyOf(manifest), manifest]))
  if (added.size > 0) await cluster.must('delete', '--ignore-not-found', '-f', await fileOf([...added.values()], directory))
  const own = new Set([...applied, ...removed].flatMap((manifest) => files[keyOf(manifest)] ?? []))
  if (own.size > 0) await cluster.applyFiles(...[...own].map(postFile))
}

function keyOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`
}

/** JSON is YAML too. */
async function fileOf(items: readonly Manifest[], directory: string): Promise<string> {
  const file = join(directory, 'list.yaml')
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  return file
}
