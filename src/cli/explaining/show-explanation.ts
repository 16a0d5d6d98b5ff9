import type { Explanation } from '../../gateway/gateway.ts'
import { escapeUnsafe } from '../../observe/observe.ts'
import type { Explaining } from './open-explaining.ts'

/** An explanation as text: a line for each layer, followed by the rules of a level; the deciding layer is the last. */
export function showExplanation({ agent, tool, outcome, mayBeRefused, steps, elsewhere }: Explanation, explaining: Explaining): string {
  const rest = mayBeRefused ? ' (a rule looks at the arguments of each call)' : ''
  const lines = [`${tool} for agent ${agent}: ${outcome === 'not-judged' ? 'not judged' : outcome}${rest}`]
  for (const [index, step] of steps.entries()) {
    const mark = step.isPassed ? 'yes' : 'NO '
    const place = step.place === '' ? '' : `  [${explaining.where(step.place)} ${step.place}]`
    lines.push(`  ${index + 1}. ${mark} ${step.layer.padEnd(12)} ${step.text}${place}`)
    for (const rule of step.rules ?? []) {
      const reason = rule.why === undefined ? '' : `: ${rule.why}`
      lines.push(`         ${rule.says}${reason}: ${rule.text}  [${explaining.where(rule.place)}]`)
    }
  }
  for (const other of elsewhere)
    lines.push(`  but ${other.outcome} at ${other.path} on listener "${other.listener}" (route ${other.route})`)
  return `${lines.map(escapeUnsafe).join('\n')}\n`
}
