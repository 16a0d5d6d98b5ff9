import { escapeUnsafe } from '../../observe/observe.ts'
import { type AskerOptions, askerOf, openExplaining } from '../explaining/explaining.ts'
import { reportTool, showAgentTools, sum } from '../offers/offers.ts'
import { exitCode, printJson, printLine, type Terminal } from '../terminal/terminal.ts'

/**
 * `mcplex tools FILE --agent NAME`: lists what a caller of an agent sees, after its selection and the rules. Ends with 1 where the caller is
 * not let in, 69 where a server of the agent gave no list.
 */
export async function agentTools(
  file: string,
  name: string,
  options: AskerOptions & { readonly output: 'text' | 'json' },
  terminal: Terminal,
): Promise<number> {
  const { stdout, stderr } = terminal
  const asker = askerOf(name, options)
  if (typeof asker === 'string') {
    printLine(stderr, `error: ${asker}`)
    return exitCode.wrongArguments
  }
  const explaining = await openExplaining(file, terminal)
  if (typeof explaining === 'number') return explaining
  try {
    const { gateway } = explaining
    const { agents } = gateway.config()
    const agent = Object.hasOwn(agents, name) ? agents[name] : undefined
    if (agent === undefined) {
      printLine(stderr, `error: there is no agent "${name}"; there are: ${Object.keys(agents).join(', ')}`)
      return exitCode.wrongArguments
    }
    const shown = await gateway.showTo(asker)
    if (shown.kind === 'refused') {
      const { layer, place, text } = shown.step
      printLine(stderr, escapeUnsafe(`refused: ${layer}: ${text}${place === '' ? '' : `  [${explaining.where(place)}]`}`))
      return exitCode.failed
    }
    const { servers } = gateway.status()
    const { tools: listed } = JSON.parse(shown.text) as { readonly tools: readonly unknown[] }
    const tools = listed.map((tool) => reportTool(JSON.stringify(tool)))
    const report = {
      name,
      tools: tools.length,
      of: sum(servers.map((server) => server.tools)),
      tokens: sum(tools.map((tool) => tool.tokens)),
    }
    if (options.output === 'json') printJson(stdout, { agent: { ...report, tools } })
    else printLine(stdout, showAgentTools(report, tools))
    const missing = servers.filter(({ backend, state }) => agent.from.includes(backend) && state !== 'ready')
    for (const { name: server, lastError = 'does not answer', remedy } of missing)
      printLine(stderr, `unreachable: ${escapeUnsafe(`${server} ${lastError}${remedy === undefined ? '' : `; ${remedy}`}`)}`)
    return missing.length === 0 ? exitCode.good : exitCode.unreachable
  } finally {
    await explaining.close()
  }
}
