import type { ToolTest } from '../../config/config.ts'
import type { Explanation, Question } from '../../gateway/gateway.ts'
import { escapeUnsafe } from '../../observe/observe.ts'
import { type Explaining, openExplaining, showExplanation } from '../explaining/explaining.ts'
import { exitCode, printJson, printLine, type Terminal } from '../terminal/terminal.ts'

interface Result {
  readonly test: ToolTest
  readonly explanation: Explanation
  readonly verdict: 'passed' | 'failed' | 'not-judged'
}

/**
 * `mcplex test`: runs the `tests` of a file against its servers, on every route that leads to the agent. A tool that no server has is
 * `unknown`, not `hidden`; one whose server is down can't be judged. Ends with 0 where all tests pass, 1 where one fails, 69 where none
 * fails but some could not be judged, 78 where the file is bad.
 */
export async function testDocument(
  file: string | undefined,
  options: { readonly output: 'text' | 'json' },
  terminal: Terminal,
): Promise<number> {
  const explaining = await openExplaining(file, terminal)
  if (typeof explaining === 'number') return explaining
  const { document, gateway } = explaining
  const { stdout } = terminal
  try {
    const results: Result[] = []
    for (const test of document.config?.tests ?? []) {
      const explanation = await gateway.explain(questionOf(test))
      results.push({ test, explanation, verdict: verdictOn(test, explanation) })
    }
    const count = (verdict: Result['verdict']) => results.filter((result) => result.verdict === verdict).length
    const [passed, failed, notJudged] = [count('passed'), count('failed'), count('not-judged')]
    if (options.output === 'json') printJson(stdout, { passed, failed, notJudged, tests: results })
    else {
      for (const [index, result] of results.entries()) {
        printLine(stdout, escapeUnsafe(lineOf(result, index, explaining)))
        if (result.verdict === 'failed') stdout.write(showExplanation(result.explanation, explaining))
      }
      printLine(stdout, `${passed} passed, ${failed} failed${notJudged === 0 ? '' : `, ${notJudged} not judged`}`)
    }
    return failed > 0 ? exitCode.failed : notJudged > 0 ? exitCode.unreachable : exitCode.good
  } finally {
    await explaining.close()
  }
}

function verdictOn({ expect }: ToolTest, { outcome, elsewhere }: Explanation): Result['verdict'] {
  const outcomes = [outcome, ...elsewhere.map((way) => way.outcome)]
  if (outcomes.some((one) => one !== expect && one !== 'not-judged')) return 'failed'
  return outcomes.includes('not-judged') ? 'not-judged' : 'passed'
}

const marks = { passed: 'ok  ', failed: 'FAIL', 'not-judged': '??? ' } as const

/**
 * The line of a test: its result, and the layer that hides or refuses the tool, with its place in the document. Below a failed test all
 * layers are printed.
 */
function lineOf({ test, explanation, verdict }: Result, index: number, { where }: Explaining): string {
  const { outcome, steps, agent } = explanation
  const start = `${marks[verdict]} ${where(`tests[${index}]`)} ${agent} ${test.tool}: ${outcome === 'not-judged' ? 'not judged' : outcome}`
  const head = verdict === 'failed' ? `${start}, expected ${test.expect}` : start
  const last = steps.at(-1)
  if (last === undefined || outcome === 'allowed') return head
  if (outcome === 'unknown' || outcome === 'not-judged') return `${head}: ${last.text}`
  if (verdict === 'failed') return head
  const place = last.place === '' ? '' : ` at ${where(last.place)}`
  return `${head} by ${layerNames[last.layer](agent)}${place}: ${last.text}`
}

const layerNames: Readonly<Record<Explanation['steps'][number]['layer'], (agent: string) => string>> = {
  route: () => 'the routes',
  authenticate: () => 'authentication',
  access: (agent) => `access of agent ${agent}`,
  catalog: (agent) => `\`from\` of agent ${agent}`,
  selection: (agent) => `the selection of agent ${agent}`,
  authorize: () => 'a rule',
}

function questionOf({ agent, tool, claims, apiKey, arguments: args }: ToolTest): Question {
  return {
    agent,
    tool,
    ...(claims === undefined ? {} : { claims: JSON.stringify(claims) }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(args === undefined ? {} : { args: JSON.stringify(args) }),
  }
}
