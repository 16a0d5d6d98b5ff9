import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { suite, type TestContext, test } from 'node:test'
import { openListener } from '../listen/listen.ts'
import { configOf, openGateway } from './open-for-test.ts'
import { ScriptedClient } from './transcripts/scripted-client.ts'
import { openServers, type ScriptedServer } from './transcripts/scripted-server.ts'
import { StandIns } from './transcripts/stand-ins.ts'
import { type Block, type Case, parseTranscript, printTranscript } from './transcripts/transcript.ts'

// The transcripts' format is told in transcripts/README.md. UPDATE_TRANSCRIPTS=1 writes what happened in the place of what was expected.
const folder = new URL('transcripts/', import.meta.url)
const isUpdate = process.env['UPDATE_TRANSCRIPTS'] !== undefined

interface Stage {
  readonly client: ScriptedClient
  readonly servers: ReadonlyMap<string, ScriptedServer>
  readonly standIns: StandIns
}

/** Plays a block; gives it as it happened. */
async function play(block: Block, stage: Stage): Promise<Block> {
  const label = / \((\w+)\)$/.exec(block.title)?.[1] ?? ''
  switch (block.title.slice(0, 4)) {
    case '>>> ':
      stage.client.send(block, label)
      return block
    case '<<< ':
      return receive(block, label, stage.client)
    case '--- ':
      return serve(block, label, stage)
    default:
      return direct(block, label, stage)
  }
}

async function receive({ title }: Block, label: string, client: ScriptedClient): Promise<Block> {
  if (title.startsWith('<<< then the end')) return { title, lines: await client.rest(label) }
  const events = /(\d+) events/.exec(title)?.[1]
  if (title.startsWith('<<< then ')) return { title, lines: await client.more(label, Number(events)) }
  const { status, lines } = await client.receive(label, events === undefined ? undefined : Number(events))
  return { title: title.replace(/^<<< ?(\d+)?/, `<<< ${status}`), lines }
}

async function serve(block: Block, label: string, { client, servers, standIns }: Stage): Promise<Block> {
  const [, name = '', what = ''] = /^--- (\S+) ?(.*?)(?: ?\(\w+\))?$/.exec(block.title) ?? []
  const server = serverOf(servers, name)
  if (what === '') return { title: block.title, lines: await server.answer(block, label, standIns, client.answeredAlone()) }
  if (what === 'is left') await server.isLeft(label)
  else if (what === 'goes on' || what === 'ends') server.goOn(block, label, standIns, what === 'ends')
  else await server.send(block, /^on its stream of (\S+)$/.exec(what)?.[1], standIns)
  return block
}

function direct(block: Block, label: string, { client, servers }: Stage): Block {
  if (block.title.startsWith('... the client goes away')) {
    client.goAway(label)
    return block
  }
  const [, name = '', verb = '', word = 'tools', items = ''] =
    /^\.\.\. (\S+) (now has|forgets) (?:(prompts|resources|templates) )?(.*)$/.exec(block.title) ?? []
  const server = serverOf(servers, name)
  if (verb === 'forgets') server.forget(items)
  else server.change(word, items.split(', '))
  return block
}

function serverOf(servers: ReadonlyMap<string, ScriptedServer>, name: string): ScriptedServer {
  const server = servers.get(name)
  assert.ok(server, `no server ${name}`)
  return server
}

async function playAll({ blocks }: Case, stage: Stage): Promise<Block[]> {
  stage.standIns.startCase()
  const happened: Block[] = []
  for (const block of blocks) happened.push(await play(block, stage))
  return happened
}

async function playFile(t: TestContext, file: string): Promise<void> {
  const transcript = parseTranscript(readFileSync(new URL(file, folder), 'utf8'))
  const { byName: servers, url, close } = await openServers(transcript.servers)
  const gateway = await openGateway(configOf(transcript.config.replaceAll('http://upstream', url)), openListener)
  await gateway.gateway.settled()
  const standIns = new StandIns()
  const stage: Stage = { servers, standIns, client: new ScriptedClient(gateway.port, standIns) }
  const cases = [...transcript.cases]
  for (const [i, one] of transcript.cases.entries()) {
    await t.test(one.name, async () => {
      const happened = await playAll(one, stage)
      cases[i] = { ...one, blocks: happened }
      if (!isUpdate) assert.deepEqual(happened, one.blocks)
      for (const [name, { arrivals }] of servers) {
        const bodies = arrivals.splice(0).map(({ request, body }) => `${request.method} ${body}`)
        assert.deepEqual(bodies, [], `unexpected at ${name}`)
      }
      assert.deepEqual(stage.client.unexpected(), [], 'unexpected at the client')
    })
  }
  for (const server of servers.values()) server.isPlaying = false
  await gateway.close()
  close()
  if (isUpdate) writeFileSync(new URL(file, folder), printTranscript({ ...transcript, cases }))
}

// Files share nothing, and some wait for what is gathered for a moment.
suite('transcripts', { concurrency: 4 }, () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md'))
    test(file, (t) => playFile(t, file))
})
