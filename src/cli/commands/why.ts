import type { Question, Step } from '../../gateway/gateway.ts'
import { readObject } from '../../mcp/mcp.ts'
import { type AskerOptions, askerOf, type Explaining, openExplaining, showExplanation } from '../explaining/explaining.ts'
import { exitCode, printJson, printLine, type Terminal } from '../terminal/terminal.ts'

export interface WhyOptions extends AskerOptions {
  readonly tool: string
  readonly agent: string
  readonly config?: string
  /** JSON text. */
  readonly arguments?: string
  readonly output: 'text' | 'json'
}

/**
 * `mcplex why`: prints every layer that a call passes, in order, up to the first that refuses it. Ends with 1 where the call isn't allowed,
 * 69 where a server that may have the tool is down.
 */
export async function why(options: WhyOptions, terminal: Terminal): Promise<number> {
  const question = questionOf(options)
  if (typeof question === 'string') {
    printLine(terminal.stderr, `error: ${question}`)
    return exitCode.wrongArguments
  }
  const explaining = await openExplaining(options.config, terminal)
  if (typeof explaining === 'number') return explaining
  try {
    const explanation = await explaining.gateway.explain(question)
    if (options.output === 'json')
      printJson(terminal.stdout, { ...explanation, steps: explanation.steps.map((step) => placed(step, explaining)) })
    else terminal.stdout.write(showExplanation(explanation, explaining))
    if (explanation.outcome === 'not-judged') return exitCode.unreachable
    return explanation.outcome === 'allowed' ? exitCode.good : exitCode.failed
  } finally {
    await explaining.close()
  }
}

function placed(step: Step, { document }: Explaining) {
  const { line, column } = step.place === '' ? {} : document.placeOf(step.place)
  return { ...step, line, column }
}

function questionOf({ agent, tool, arguments: args, ...who }: WhyOptions): Question | string {
  const asker = askerOf(agent, who)
  if (typeof asker === 'string') return asker
  if (args !== undefined && readObject(args) === undefined) return '--arguments is no JSON object'
  return { ...asker, tool, ...(args === undefined ? {} : { args }) }
}
