import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { connectPage, openInspectorPage } from '../inspector-page.ts'
import { atEnd } from '../setup/at-end.ts'
import { chromium } from '../setup/chromium.ts'
import { inspector } from '../setup/inspector.ts'
import type { Keycloak } from '../setup/keycloak.ts'
import { need } from '../setup/part.ts'
import { type Office, shownTo } from './office.ts'
import { byGroup, openHouse } from './open-house.ts'
import { addAudiences, people } from './realm.ts'
import { quoted } from './tokens-of-keycloak.ts'

/** Inspector's page, told nothing but the URL: its own login in a browser, with Keycloak's pages as people see them. */
export async function inspectorTest(t: TestContext, keycloak: Keycloak, office: Office): Promise<void> {
  const installed = await need(t, inspector('0.16.2'))
  if (installed === undefined) return
  const browser = await need(t, chromium())
  if (browser === undefined) return
  atEnd(t, () => browser.close())
  const house = await openHouse(t, office, byGroup, async (urls) => {
    await addAudiences(keycloak, urls)
    return `{ jwt: [{ issuer: "${keycloak.issuer}", audiences: [${quoted(urls)}] }], mcp: { provider: keycloak } }`
  })
  const page = await openInspectorPage(t, installed, browser)
  const address = page.url()
  await page.getByLabel('Transport Type').click()
  await page.getByRole('option', { name: 'Streamable HTTP' }).click()
  await page.getByLabel('URL', { exact: true }).fill(house.url('sre'))
  await page.getByRole('button', { name: 'Connect', exact: true }).click()

  await page.getByLabel('Username or email').fill('alice')
  await page.getByLabel('Password', { exact: true }).fill(people.alice.password)
  await page.getByRole('button', { name: 'Sign In' }).click()
  await page.getByText('Grant Access to MCP Inspector').waitFor()
  const token = page.waitForResponse((reply) => reply.url().endsWith('/protocol/openid-connect/token'))
  await page.getByRole('button', { name: 'Yes' }).click()
  assert.equal((await token).status(), 200)

  // On its way back the page forgets where its own proxy is, where that isn't on the port that it would choose; the token it keeps.
  await page.goto(address)
  await connectPage(page, house.url('sre'))
  await page.getByRole('tab', { name: 'Tools' }).click()
  await page.getByRole('button', { name: 'List Tools' }).click()
  for (const name of shownTo.sre) await page.getByText(name, { exact: true }).waitFor()
  await page.getByText('kubernetes_get_logs', { exact: true }).click()
  await page.getByRole('button', { name: 'Run Tool' }).click()
  await page.getByText('"kubernetes did get_logs"').waitFor()
}
