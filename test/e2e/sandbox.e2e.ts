import assert from 'node:assert/strict'
import { test } from 'node:test'
import { need } from './setup/part.ts'
import { canConnect, freePort } from './setup/ports.ts'
import { openSandbox } from './setup/sandbox.ts'
import { until } from './setup/wait.ts'

const serve = (port: number, text: string) =>
  `require('node:http').createServer((_, response) => response.end('${text}')).listen(${port}, '127.0.0.1')`
const read = (url: string) => `fetch('${url}').then((response) => response.text()).then(console.log)`

test('a sandbox has its own ports and names, and ends with its test', async (t) => {
  let inner = 0
  await t.test('inside', async (t) => {
    const [one, two] = [
      await need(t, openSandbox(t, { hosts: { 'math.default.svc.cluster.local': '127.0.0.1' } })),
      await need(t, openSandbox(t, {})),
    ]
    if (one === undefined || two === undefined) return
    inner = one.start('node', ['-e', serve(80, 'one')]).pid
    two.start('node', ['-e', serve(80, 'two')])
    const answer = async (sandbox: typeof one, url: string) =>
      until(url, async () => {
        const done = await sandbox.run('node', ['-e', read(url)])
        return done.code === 0 ? done.stdout.trim() : undefined
      })
    assert.equal(await answer(one, 'http://math.default.svc.cluster.local/'), 'one')
    assert.equal(await answer(two, 'http://localhost/'), 'two')
    assert.equal((await two.run('node', ['-e', read('http://math.default.svc.cluster.local/')])).code, 1)

    const programs = [
      ['python3', '-c', "import urllib.request; print(urllib.request.urlopen('http://math.default.svc.cluster.local/').read().decode())"],
      ['npx', '--offline', '--', 'node', '-e', read('http://math.default.svc.cluster.local/')],
    ] as const
    for (const [command, ...args] of programs) {
      const { code, stdout, stderr } = await one.run(command, args)
      assert.deepEqual({ code, last: stdout.trim().split('\n').at(-1) }, { code: 0, last: 'one' }, stderr)
    }
    const port = await freePort()
    one.start('node', ['-e', serve(port, 'hidden')])
    assert.equal(await answer(one, `http://127.0.0.1:${port}/`), 'hidden')
    assert.equal(await canConnect(port), false)

    const { stdout } = await one.run('pwd', [], { cwd: import.meta.dirname })
    assert.equal(stdout.trim(), import.meta.dirname)
  })
  if (inner === 0) return
  assert.throws(() => process.kill(inner, 0), /ESRCH/)
})
