import type { Command } from 'commander'

/** Two examples of each command: what is typed, and what for. */
const examples: Readonly<Record<string, readonly (readonly [line: string, purpose: string])[]>> = {
  mcplex: [
    ['mcplex', 'serve ./mcplex.yaml, or a demo where there is none'],
    ['mcplex check mcplex.yaml', 'say what is wrong with it'],
  ],
  run: [
    ['mcplex run mcplex.yaml', 'serve a file, and follow its changes'],
    ['mcplex run --listen 8090 --log-level debug', 'on another port, with more to read'],
  ],
  check: [
    ['mcplex check mcplex.yaml', 'all problems, each with its place and remedy'],
    ['mcplex check --no-env --output github deploy/*.yaml', 'in CI, where secrets are not set'],
  ],
  tools: [
    ['mcplex tools mcplex.yaml --agent sre', 'what an agent sees, and what its list costs'],
    ['mcplex tools http://127.0.0.1:8080/mcp --token token.txt', 'what an endpoint shows to a caller'],
  ],
  why: [
    ['mcplex why --agent sre kubernetes_delete_pod', 'which line of the file hides it'],
    ['mcplex why --agent sre --claims claims.json git_push --arguments \'{"force":true}\'', 'and whether these arguments pass'],
  ],
  test: [
    ['mcplex test', 'run the `tests` of ./mcplex.yaml'],
    ['mcplex test mcplex.yaml --output json', 'with what each layer said'],
  ],
  translate: [
    ['mcplex translate -f objects.yaml > mcplex.yaml', "from a cluster's objects to a configuration"],
    ['kubectl get gateways,httproutes,backends -A -o yaml | mcplex translate -f -', 'from what is in the cluster now'],
  ],
  controller: [
    ['mcplex controller', 'in a pod, with its service account'],
    ['mcplex controller --kubeconfig ~/.kube/config --context test', 'from outside of the cluster'],
  ],
  verify: [
    ['mcplex audit verify audit.jsonl', 'whether anything was altered'],
    ['mcplex audit verify --key-file audit.key audit.jsonl.1 audit.jsonl', 'of a chain with a key, over two files'],
  ],
  schema: [
    ['mcplex schema > mcplex.schema.json', 'for editors'],
    ['mcplex schema | jq .properties.servers', 'what a key takes'],
  ],
}

const exitCodes: Readonly<Record<string, string>> = {
  run: '0 stopped by a signal, 1 a port is taken, 78 the configuration has errors',
  check: '0 good, or warnings alone, 78 errors',
  tools: '0 listed, 69 a server or the endpoint did not answer, 78 the configuration has errors',
  why: '0 allowed, 1 not, 69 a server that may have the tool is down, 78 the configuration has errors',
  test: '0 all as expected, 1 some not, 69 some could not be judged, 78 the configuration has errors',
  translate: '0 good, 1 objects have faults',
  verify: '0 as written, 1 altered, 2 it cannot be told',
}

/** Adds to the help of a command and of all below it: examples, exit codes, and where more is written. */
export function addHelp(command: Command): void {
  const name = command.name()
  const lines = (examples[name] ?? []).map(([line, purpose]) => `  ${line}\n      ${purpose}`)
  const codes = exitCodes[name] ?? '0 good, 1 failed, 69 a server did not answer, 70 a bug, 78 the configuration has errors'
  const parts = [...(lines.length === 0 ? [] : ['', 'Examples:', ...lines]), '', `Exit codes: ${codes}; 2 wrong arguments.`]
  command.addHelpText('after', [...parts, 'More: docs/command-line.md and docs/configuration.md in the package.'].join('\n'))
  for (const inner of command.commands) addHelp(inner)
}
