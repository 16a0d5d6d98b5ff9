import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { clientLines } from './client-lines.ts'

test('each client gets the form that it takes', () => {
  assert.deepEqual(clientLines('reader', 'http://127.0.0.1:8080/mcp/reader').slice(1), [
    '  Claude Code  claude mcp add --transport http reader http://127.0.0.1:8080/mcp/reader',
    '  Codex        codex mcp add reader --url http://127.0.0.1:8080/mcp/reader',
    `  VS Code      code --add-mcp '{"name":"reader","type":"http","url":"http://127.0.0.1:8080/mcp/reader"}'`,
    '  Cursor       {"mcpServers":{"reader":{"url":"http://127.0.0.1:8080/mcp/reader"}}}',
  ])
})

test('what a shell would read otherwise is quoted', async () => {
  const url = "http://[::1]:8080/it's;$HOME"
  for (const line of clientLines('a', url).slice(1, 4)) {
    const command = line.slice('  Claude Code  '.length).replace(/^\S+/, 'printf "%s\\n"')
    const words = (await promisify(execFile)('sh', ['-c', command])).stdout.split('\n')
    assert.ok(words.includes(url) || JSON.parse(words[1] ?? '').url === url, line)
  }
})
