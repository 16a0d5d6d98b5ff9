import { runCli } from './cli/cli.ts'

// Node would open a debugger; `bin/mcplex.js` says so still earlier.
process.on('SIGUSR1', () => {})

// A reader that has gone is no reason to fail.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

process.on('uncaughtException', (error) => {
  process.stderr.write(`mcplex has a bug: ${error.stack}\n`)
  process.exit(70)
})

process.exitCode = await runCli(process.argv.slice(2), process)
