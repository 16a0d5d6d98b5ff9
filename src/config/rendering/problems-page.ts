import { parseConfig } from '../document/document.ts'
import { type ProblemCode, problemCodes } from '../problems/problems.ts'
import { generated } from './generated.ts'
import { exampleEnv, problemExamples, runtimeExamples } from './problem-examples.ts'
import { renderProblems } from './render-problems.ts'

/** The page (Markdown) with every code that a problem can carry: a heading for each, a document that has it, what is said, and the remedy. */
export function problemsPage(): string {
  const codes = Object.keys(problemCodes) as ProblemCode[]
  const list = codes.map((code) => `[\`${code}\`](#${code})`).join(' · ')
  return `${generated}# Problems

What \`mcplex check\` and a reload can say about a document. Any error refuses the whole document; a warning doesn't. Codes are stable.

${list}

${codes.map(section).join('\n')}`
}

function section(code: ProblemCode): string {
  const { severity, text } = problemCodes[code]
  return `## ${code}\n\n${text} *${severity === 'error' ? 'Error' : 'Warning'}.*\n\n${isRuntime(code) ? runtimePart(code) : documentPart(code)}`
}

function isRuntime(code: ProblemCode): code is keyof typeof runtimeExamples {
  return Object.hasOwn(runtimeExamples, code)
}

function runtimePart(code: keyof typeof runtimeExamples): string {
  const { says, remedy } = runtimeExamples[code]
  return `${fence('', says)}\n${remedy}\n`
}

function documentPart(code: keyof typeof problemExamples): string {
  const { wrong, remedy, right } = problemExamples[code]
  return `${fence('yaml', shortened(wrong))}\n${fence('', shortened(said(wrong)))}\n${remedy} Put right:\n\n${fence('yaml', right)}`
}

/** What `check` prints about an example. */
function said(document: string): string {
  const { problems } = parseConfig(document, { file: '/etc/mcplex/mcplex.yaml', env: exampleEnv, readFile: noFile })
  return renderProblems(problems, document, { file: 'mcplex.yaml', color: false })
}

function noFile(): never {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
}

/** Shortens a long run of equal addresses. */
function shortened(text: string): string {
  return text.replace(/(10\.0\.0\.1:80, ){4,}/g, '$1$1… ')
}

function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n`
}
