import type { Problem } from '../../config/config.ts'

/**
 * Problems as workflow commands, which GitHub Actions shows at their lines
 * (docs.github.com, Workflow commands for GitHub Actions, Setting an error message).
 */
export function githubCommands(problems: readonly (Problem & { readonly file: string })[]): string {
  return problems
    .map(({ file, line, column, severity, code, text, hint }) => {
      const properties = { file, line, col: column, title: `mcplex ${code}` }
      const written = Object.entries(properties).flatMap(([name, value]) =>
        value === undefined ? [] : [`${name}=${escaped(`${value}`).replaceAll(':', '%3A').replaceAll(',', '%2C')}`],
      )
      return `::${severity} ${written.join(',')}::${escaped(hint === undefined ? text : `${text}\nhint: ${hint}`)}\n`
    })
    .join('')
}

/** As the runner takes it back. */
function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
