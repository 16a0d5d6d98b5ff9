import { existsSync } from 'node:fs'
import { type Config, findConfigFile, parseConfig } from '../../config/config.ts'
import { escapeUnsafe } from '../../observe/observe.ts'
import { printProblems, readDocument, sourceAt } from '../document/document.ts'
import { type AskerOptions, readSecretFile, unreadable } from '../explaining/explaining.ts'
import { listOffers, reportAgents, reportTools, showTools } from '../offers/offers.ts'
import { exitCode, printJson, printLine, sayWaiting, type Terminal } from '../terminal/terminal.ts'
import { agentTools } from './agent-tools.ts'

export interface ToolsOptions extends AskerOptions {
  readonly output: 'text' | 'json'
  /** Lists what a caller of this agent sees. */
  readonly agent?: string
}

const defaultUrl = 'http://127.0.0.1:8080/mcp'

/**
 * `mcplex tools`: lists what an endpoint, each server of a file, or a caller of an agent of that file sees, with the number of arguments and
 * what the list costs a model in tokens. Without a target it is the configuration file that `run` would find, else
 * http://127.0.0.1:8080/mcp. Ends with 69 where a server gave no list.
 */
export async function tools(target: string | undefined, options: ToolsOptions, terminal: Terminal): Promise<number> {
  const { stdout, stderr } = terminal
  const file = target ?? findConfigFile({ flag: undefined, env: terminal.env, cwd: terminal.cwd(), exists: existsSync })
  const found = file ?? defaultUrl
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(found)
  if (!isUrl && options.agent !== undefined) return await agentTools(found, options.agent, options, terminal)
  const endpoint = isUrl ? endpointOf(found, options) : undefined
  const wrong = isUrl ? endpoint : wrongWithoutAgent(options)
  if (typeof wrong === 'string') {
    printLine(stderr, `error: ${wrong}`)
    return exitCode.wrongArguments
  }
  const config = typeof endpoint === 'object' ? configOf(endpoint, terminal) : configIn(found, terminal)
  if (config === undefined) return isUrl ? exitCode.wrongArguments : exitCode.badConfiguration

  const servers = Object.values(config.backends).flatMap((backend) => Object.keys(backend.servers))
  const waiting = sayWaiting(isUrl ? [found] : servers, terminal)
  const offers = await listOffers(config, sourceAt(isUrl ? terminal.cwd() : found, terminal), waiting.answered)
  waiting.end()
  const report = reportTools(offers, isUrl ? undefined : reportAgents(config, offers))
  const missing = offers.filter((offer) => offer.kind === 'unreachable')
  if (options.output === 'json') printJson(stdout, report)
  else if (missing.length < offers.length || offers.length === 0) printLine(stdout, showTools(report))
  for (const { server, text } of missing) printLine(stderr, `unreachable: ${isUrl ? found : server} ${escapeUnsafe(text)}`)
  return missing.length === 0 ? exitCode.good : exitCode.unreachable
}

function wrongWithoutAgent({ token, claims, apiKey }: AskerOptions): string | undefined {
  const isAsked = token !== undefined || claims !== undefined || apiKey !== undefined
  return isAsked ? '--token, --claims and --api-key say who calls an agent: name it by --agent' : undefined
}

interface Endpoint {
  readonly url: string
  readonly header: Readonly<Record<string, string>>
}

/** An endpoint as its caller asks it, or what is wrong with the options. */
function endpointOf(url: string, { agent, token, claims, apiKey }: ToolsOptions): Endpoint | string {
  if (claims !== undefined) return '--claims is for a file: an endpoint wants the token itself, by --token'
  try {
    return {
      // Agents are below the path of the whole (configuration.md, agents).
      url: agent === undefined ? url : below(url, agent),
      header: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${readSecretFile(token)}` }),
        ...(apiKey === undefined ? {} : { 'X-API-Key': readSecretFile(apiKey) }),
      },
    }
  } catch (error) {
    return `${token ?? apiKey} ${unreadable(error)}`
  }
}

/** @param url may have a query, which stays behind the path */
function below(url: string, agent: string): string {
  const parsed = URL.parse(url)
  if (parsed === null) return url
  parsed.pathname = `${parsed.pathname.replace(/\/$/, '')}/${encodeURIComponent(agent)}`
  return parsed.href
}

function configIn(file: string, terminal: Terminal): Config | undefined {
  const document = readDocument(file, terminal)
  printProblems(terminal.stderr, document, terminal, 'text')
  return document.config
}

/** The configuration of a gateway whose only server is this endpoint, without prefixes. */
function configOf({ url, header }: Endpoint, terminal: Terminal): Config | undefined {
  const plain = (text: string) => text.replaceAll('$', '$$$$')
  const headers = Object.fromEntries(Object.entries(header).map(([name, value]) => [name, plain(value)]))
  const endpoint = { http: { url: plain(url) }, ...(Object.keys(headers).length === 0 ? {} : { credentials: { header: headers } }) }
  const text = JSON.stringify({ backends: { default: { servers: { endpoint }, prefix: 'never' } } })
  const { config, problems } = parseConfig(text, sourceAt(terminal.cwd(), terminal))
  for (const { severity, text } of problems) if (severity === 'error') printLine(terminal.stderr, `${url}: ${text}`)
  return config
}
