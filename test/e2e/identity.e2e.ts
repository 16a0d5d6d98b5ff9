import { test } from 'node:test'
import { apiKeyTests } from './identity/api-keys.ts'
import { faultTests } from './identity/faults.ts'
import { inspectorTest } from './identity/inspector-login.ts'
import { loginTests } from './identity/logins.ts'
import { openOffice } from './identity/office.ts'
import { realm } from './identity/realm.ts'
import { scopeTests, tokenTests } from './identity/tokens-of-keycloak.ts'
import { keycloak, startKeycloak } from './setup/keycloak.ts'
import { need } from './setup/part.ts'

test('two agents over four servers with 60 tools, by API keys', apiKeyTests)

// One Keycloak for all of it: that takes longer to start than all the rest.
test('two agents over four servers with 60 tools, by a real Keycloak', { timeout: 600_000 }, async (t) => {
  const installed = await need(t, keycloak())
  if (installed === undefined) return
  const started = await startKeycloak(t, installed, realm)
  const office = await openOffice(t)
  await t.test('tokens', (t) => tokenTests(t, started, office))
  const scoped = await scopeTests(t, started, office)
  await t.test('logins', (t) => loginTests(t, started, office, scoped))
  await t.test("Inspector's page in Chromium logs in", (t) => inspectorTest(t, started, office))
  await t.test('faults', (t) => faultTests(t, started, office))
})
