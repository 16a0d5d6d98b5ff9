import { existsSync } from 'node:fs'
import { type Browser, chromium as playwright } from 'playwright-core'
import { must } from './cache.ts'
import { missing, type Part, ready } from './part.ts'

const executablePath = '/usr/bin/chromium'

/** Debian's Chromium without a window; installed where it is missing and we may. */
export async function chromium(): Promise<Part<Browser>> {
  if (!existsSync(executablePath)) {
    if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return missing(`needs ${executablePath}`)
    try {
      await must('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { DEBIAN_FRONTEND: 'noninteractive' })
    } catch (error) {
      return missing(`chromium could not be installed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
  args.push('--disable-background-networking', '--disable-component-update', '--disable-sync')
  return ready(await playwright.launch({ executablePath, args }))
}
