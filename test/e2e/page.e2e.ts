import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { untilReady } from './gateway.ts'
import { connectPage, openInspectorPage } from './inspector-page.ts'
import { atEnd } from './setup/at-end.ts'
import { checkout } from './setup/cache.ts'
import { start } from './setup/child.ts'
import { chromium } from './setup/chromium.ts'
import { inspector } from './setup/inspector.ts'
import { need } from './setup/part.ts'

test("Inspector's page in Chromium lists and calls the tools of `npm start`", async (t) => {
  const installed = await need(t, inspector('0.16.2'))
  if (installed === undefined) return
  const browser = await need(t, chromium())
  if (browser === undefined) return
  atEnd(t, () => browser.close())
  const url = await npmStart(t)
  const page = await openInspectorPage(t, installed, browser)

  await t.test('through its own proxy, as it does by default', async () => {
    await connectPage(page, url)
    await page.getByRole('tab', { name: 'Tools' }).click()
    await page.getByRole('button', { name: 'List Tools' }).click()
    for (const name of ['math_multiply', 'date_get_current_date', 'math_add']) await page.getByText(name, { exact: true }).waitFor()
    await page.getByText('math_add', { exact: true }).click()
    await page.getByLabel(/^a\W*$/).fill('2')
    await page.getByLabel(/^b\W*$/).fill('3')
    await page.getByRole('button', { name: 'Run Tool' }).click()
    await page.getByText('Tool Result: Success').waitFor()
    await page.getByText('"5"', { exact: true }).waitFor()
    if (process.env['UPDATE_SCREENSHOT'] === '1') await page.screenshot({ path: join(checkout, 'docs/inspector.png') })
  })

  await t.test('straight from the browser, as pages of other local ports may', async () => {
    const seen = await initializeFromBrowser(page, url)
    assert.deepEqual({ ...seen, session: typeof seen.session }, { status: 200, session: 'string', name: 'mcplex' })
  })
})

/** The demo's endpoint, started as the README says. */
async function npmStart(t: TestContext): Promise<string> {
  const child = start(t, 'npm', ['start'], { cwd: checkout })
  return untilReady(child, async () => {
    const url = /http:\/\/127\.0\.0\.1:\d+\/mcp\b/.exec(child.stdout() + child.stderr())?.[0]
    // Said before it listens or after: either way the page comes when it answers.
    return url !== undefined && (await fetch(url).catch(() => undefined)) !== undefined ? url : undefined
  })
}

/** A legacy handshake by the browser's own fetch: needs CORS, and the session's id readable. */
function initializeFromBrowser(page: Page, url: string): Promise<{ status: number; session: string | null; name: string }> {
  return page.evaluate(async (endpoint) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'page', version: '1' } },
      }),
    })
    const text = await response.text()
    const name = /"serverInfo":\{[^}]*"name":"([^"]*)"/.exec(text)?.[1] ?? text
    return { status: response.status, session: response.headers.get('mcp-session-id'), name }
  }, url)
}
