import { existsSync } from 'node:fs'
import { type Config, findConfigFile, parseConfig } from '../../config/config.ts'
import { escapeUnsafe } from '../../observe/observe.ts'
import { printProblems, readDocument, sourceAt } from '../document/document.ts'
import { listOffers, reportTools, showTools } from '../offers/offers.ts'
import { exitCode, printJson, printLine, type Terminal } from '../terminal/terminal.ts'

export interface ToolsOptions {
  readonly output: 'text' | 'json'
}

const defaultUrl = 'http://127.0.0.1:8080/mcp'

/**
 * `mcplex tools`: lists what an endpoint, or each server of a file, offers, and what the list costs a model in tokens. Without a target it
 * is the configuration file that `run` would find, else http://127.0.0.1:8080/mcp. Ends with 69 where a server gave no list.
 */
export async function tools(target: string | undefined, options: ToolsOptions, terminal: Terminal): Promise<number> {
  const { stdout, stderr } = terminal
  const found = target ?? findConfigFile({ flag: undefined, env: terminal.env, cwd: terminal.cwd(), exists: existsSync }) ?? defaultUrl
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(found)
  const config = isUrl ? configOf(found, terminal) : configIn(found, terminal)
  if (config === undefined) return isUrl ? exitCode.wrongArguments : exitCode.badConfiguration

  const offers = await listOffers(config, sourceAt(isUrl ? terminal.cwd() : found, terminal))
  const report = reportTools(offers)
  const missing = offers.filter((offer) => offer.kind === 'unreachable')
  if (options.output === 'json') printJson(stdout, report)
  else if (missing.length < offers.length || offers.length === 0) printLine(stdout, showTools(report))
  for (const { server, text } of missing) printLine(stderr, `unreachable: ${isUrl ? found : server} ${escapeUnsafe(text)}`)
  return missing.length === 0 ? exitCode.good : exitCode.unreachable
}

function configIn(file: string, terminal: Terminal): Config | undefined {
  const document = readDocument(file, terminal)
  printProblems(terminal.stderr, document, terminal, 'text')
  return document.config
}

/** The configuration of a gateway whose only server is this endpoint, without prefixes. */
function configOf(url: string, terminal: Terminal): Config | undefined {
  const text = JSON.stringify({
    backends: { default: { servers: { endpoint: { http: { url: url.replaceAll('$', '$$$$') } } }, prefix: 'never' } },
  })
  const { config, problems } = parseConfig(text, sourceAt(terminal.cwd(), terminal))
  for (const problem of problems) printLine(terminal.stderr, `${url}: ${problem.text}`)
  return config
}
