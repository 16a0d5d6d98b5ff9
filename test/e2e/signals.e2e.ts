import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { mcplexCommand, startMcplex, temporaryDirectory, untilReady } from './gateway.ts'
import { start } from './setup/child.ts'
import { freePort } from './setup/ports.ts'
import { until } from './setup/wait.ts'

/** A document of its own ports that names no servers. */
async function document(t: TestContext) {
  const [port, adminPort] = [await freePort(), await freePort()]
  const file = join(await temporaryDirectory(t), 'mcplex.yaml')
  await writeFile(file, `listen: 127.0.0.1:${port}\nadmin: { listen: "127.0.0.1:${adminPort}" }\nservers: {}\n`)
  const isServing = () =>
    fetch(`http://127.0.0.1:${adminPort}/healthz`).then(
      () => true,
      () => false,
    )
  return { file, isServing }
}

test('SIGHUP puts the document in force once more, SIGUSR1 opens no debugger, and the log is JSON to its last line', async (t) => {
  const { file } = await document(t)
  const child = startMcplex(t, ['run', '--config', file])
  const says = (words: string) => until(words, () => (child.stderr().includes(words) ? true : undefined), { explain: child.stderr })
  await says('"msg":"ready"')
  child.kill('SIGUSR1')
  child.kill('SIGHUP')
  await says('"changes":"nothing in the document itself"')
  child.kill('SIGTERM')
  const { code, stderr } = await child.finished
  assert.equal(code, 0)
  const words = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).msg)
  assert.deepEqual(words, ['ready', 'the changed configuration is in force', 'stopping: work in flight may finish'])
})

test('a terminal that is closed ends it, though SIGHUP reloads there too', async (t) => {
  const { file, isServing } = await document(t)
  const command = [...mcplexCommand, 'run', '--config', file].map((word) => `'${word}'`).join(' ')
  // `script` holds the other side of a terminal: with it, the terminal is gone.
  const terminal = start(t, 'script', ['-qec', `echo "pid=$$"; exec ${command}`, '/dev/null'])
  await untilReady(terminal, () => (/mcplex \S+ ready in/.test(terminal.stdout()) ? true : undefined))
  const pid = Number(/pid=(\d+)/.exec(terminal.stdout())?.[1])
  process.kill(pid, 'SIGHUP')
  await until('a reload', () => (terminal.stdout().includes('is in force') ? true : undefined), { explain: terminal.stdout })
  assert.equal(await isServing(), true)
  process.kill(terminal.pid, 'SIGKILL')
  await until('its end', async () => ((await isServing()) ? undefined : true))
})
