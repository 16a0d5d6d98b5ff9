import type { ToolTest } from '../../config/config.ts'
import type { Explanation, Question } from '../../gateway/gateway.ts'
import { openExplaining, showExplanation } from '../explaining/explaining.ts'
import { exitCode, printJson, printLine, type Terminal } from '../terminal/terminal.ts'

/**
 * `mcplex test`: runs the `tests` of a file against its servers, on every way that leads to the agent. Ends with 0 where all came out as expected, 1 where one did not, 78 where
 * the file is bad. Of each that failed it says every layer.
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
    const tests = document.config?.tests ?? []
    const results: { readonly test: ToolTest; readonly explanation: Explanation; readonly isGood: boolean }[] = []
    for (const test of tests) {
      const explanation = await gateway.explain(questionOf(test))
      results.push({ test, explanation, isGood: explanation.outcome === test.expect && explanation.elsewhere.length === 0 })
    }
    const failed = results.filter(({ isGood }) => !isGood)
    if (options.output === 'json') {
      printJson(stdout, { passed: results.length - failed.length, failed: failed.length, tests: results })
    } else {
      for (const [index, { test, explanation, isGood }] of results.entries()) {
        const head = `${isGood ? 'ok  ' : 'FAIL'} ${explaining.where(`tests[${index}]`)} ${test.agent} ${test.tool}: ${explanation.outcome}`
        printLine(stdout, isGood ? head : `${head}, expected ${test.expect}`)
        if (!isGood) stdout.write(showExplanation(explanation, explaining))
      }
      printLine(stdout, `${results.length - failed.length} passed, ${failed.length} failed`)
    }
    return failed.length === 0 ? exitCode.good : exitCode.failed
  } finally {
    await explaining.close()
  }
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
