import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Provider, providers } from './providers.ts'

const page = readFileSync(new URL('../../../docs/login.md', import.meta.url), 'utf8')

function rowOf(name: string, provider: Provider): string {
  const help = provider.needsAudience
    ? 'add `audience` to the login page’s URL'
    : provider.hidesPkce
      ? 'say that PKCE (S256) is there'
      : 'do nothing'
  const cells = [
    `${provider.title} (\`${name}\`)`,
    `\`${provider.issuer}\``,
    provider.discovery,
    provider.resource,
    `${provider.registers}; ${provider.registration}`,
    provider.iss,
    help,
    provider.verified,
  ]
  return `| ${cells.join(' | ')} |`
}

for (const [name, provider] of Object.entries(providers))
  test(`docs/login.md has the row of ${name}, and how it is known`, () => {
    assert.ok(page.includes(`\n${rowOf(name, provider)}\n`), rowOf(name, provider))
    assert.ok(page.includes(`- ${provider.title}: ${provider.sources.join('; ')}.`), `- ${provider.title}: ${provider.sources.join('; ')}.`)
  })

test('the table has no other rows', () => {
  const [, table = ''] = /\| provider \| issuer .*\n\|[-|]+\|\n([\s\S]*?)\n\n/.exec(page) ?? []
  assert.equal(table.split('\n').length, Object.keys(providers).length)
})
