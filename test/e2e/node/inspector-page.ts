import type { TestContext } from 'node:test'
import { connectPage, openInspectorPage } from '../inspector-page.ts'
import { atEnd } from '../setup/at-end.ts'
import { chromium } from '../setup/chromium.ts'
import { inspector } from '../setup/inspector.ts'
import { need } from '../setup/part.ts'
import { urlOfPost } from './reading.ts'
import type { Scene } from './scene.ts'
import { toolsOfPost } from './the-post.ts'

/** What the post's reader sees: Inspector's page in a browser, connected to the Gateway's address, lists the tools of both servers and calls one of each. */
export async function pageCalls(t: TestContext, { cluster }: Scene): Promise<void> {
  const installed = await need(t, inspector('0.16.2'))
  if (installed === undefined) return
  const browser = await need(t, chromium())
  if (browser === undefined) return
  atEnd(t, () => browser.close())
  const page = await openInspectorPage(t, installed, browser)
  await connectPage(page, await urlOfPost(cluster))
  await page.getByRole('tab', { name: 'Tools' }).click()
  await page.getByRole('button', { name: 'List Tools' }).click()
  const tool = (name: string) => page.getByText(name, { exact: true })
  for (const name of toolsOfPost) await tool(name).waitFor()

  await tool('math-mcp-server_multiply').click()
  await page.getByLabel(/^a\W*$/).fill('4')
  await page.getByLabel(/^b\W*$/).fill('5')
  await page.getByRole('button', { name: 'Run Tool' }).click()
  await page.getByText('Tool Result: Success').waitFor()
  const shows = (text: RegExp) => page.getByText(text).first().waitFor()
  await shows(/\b20\b/)
  await tool('date-mcp-server_get_current_date').click()
  await page.getByRole('button', { name: 'Run Tool' }).click()
  await shows(new RegExp(`\\b${new Date().toISOString().slice(0, 10)}\\b`))
}
