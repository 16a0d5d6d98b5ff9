#!/usr/bin/env node
// Any Node since 10 must be able to read this file: nothing newer than ES2018, no static import, no require.
// Node would open a debugger.
process.on('SIGUSR1', () => {})
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `mcplex needs Node 22.19 or newer; this is Node ${process.versions.node}.\n` +
      `Get one from https://nodejs.org, or let npm bring one for this command: npx -y -p node@24 node ${process.argv[1]}\n`,
  )
  process.exitCode = 1
} else {
  import('../dist/mcplex.js').catch((error) => {
    process.stderr.write(`${error.stack || error}\n`)
    process.exitCode = 70
  })
}
