import type { TestContext } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { start } from './setup/child.ts'
import type { Inspector } from './setup/inspector.ts'
import { freePort } from './setup/ports.ts'
import { until } from './setup/wait.ts'

/** Inspector 0.16.2's page in a browser, as its command serves it: through its own proxy, with that proxy's token. */
export async function openInspectorPage(t: TestContext, inspector: Inspector, browser: Browser): Promise<Page> {
  const env = {
    ...inspector.around.env,
    CLIENT_PORT: String(await freePort()),
    SERVER_PORT: String(await freePort()),
    MCP_AUTO_OPEN_ENABLED: 'false',
  }
  const child = start(t, process.execPath, [inspector.script], { ...inspector.around, env })
  const explain = () => `${child.stdout()}${child.stderr()}`
  const address = await until('address of the page', () => /up and running at:\s+(http\S+)/.exec(child.stdout())?.[1], { explain })
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  page.setDefaultTimeout(30_000)
  await page.goto(address)
  return page
}

/** Connects the page to an MCP endpoint with Streamable HTTP, by its controls. */
export async function connectPage(page: Page, url: string): Promise<void> {
  await page.getByLabel('Transport Type').click()
  await page.getByRole('option', { name: 'Streamable HTTP' }).click()
  await page.getByLabel('URL', { exact: true }).fill(url)
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.getByText('Connected', { exact: true }).waitFor()
}
