import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { durationMs, jsonSchema } from '../config/config.ts'
import {
  type AuditVerifyOptions,
  type ControllerOptions,
  check,
  onDemand,
  run,
  type ToolsOptions,
  type TranslateOptions,
  tools,
  type WhyOptions,
} from './commands/commands.ts'
import { addHelp } from './help.ts'
import { exitCode, printJson, printLine, type Terminal, version } from './terminal/terminal.ts'

interface GlobalOptions {
  readonly output: 'text' | 'json' | 'github'
}

interface RunArguments {
  readonly config?: string
  readonly lastGood?: string
  readonly kubeconfig?: string
  readonly context?: string
  /** Milliseconds. */
  readonly drainDelay: number
  readonly listen?: string
  readonly logLevel?: string
}

/** Runs the command that `args` (without node and script) names, and `run` where they are empty. Resolves with the exit code when it has ended, and never rejects. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = exitCode.good
  const program = new Command('mcplex')
    .description('Many MCP servers behind one endpoint; each agent sees its own few tools.')
    .version(version, '-V, --version', 'print the version')
    .addOption(
      new Option('--output <format>', 'what data on stdout looks like; github is for `check`')
        .choices(['text', 'json', 'github'])
        .default('text'),
    )
    .helpCommand('help [command]', 'say how a command is used')
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.stdout.write(text), writeErr: (text) => terminal.stderr.write(text) })
  const format = () => program.opts<GlobalOptions>().output
  const globals = (): { readonly output: 'text' | 'json' } => {
    const output = format()
    return output === 'github' ? program.error('error: --output github is for `check`') : { output }
  }
  const oneFile = (file: string | undefined, config: string | undefined) => {
    if (file !== undefined && config !== undefined) program.error('error: name the file once, as an argument or by --config')
    return file ?? config
  }

  program
    .command('run')
    .description('serve a configuration, or a demo where there is none')
    .argument('[file]', 'the configuration; else $MCPLEX_CONFIG, else mcplex.yaml, .yml or .json here')
    .option('--config <file>', 'the same, or secret:NAMESPACE/NAME')
    .option('--listen <address>', 'PORT or HOST:PORT, in the place of the `listen` of the file')
    .addOption(new Option('--log-level <level>', 'in the place of that of the file').choices(['debug', 'info', 'warn', 'error']))
    .option('--last-good <folder>', 'of a Secret: keep a copy of what is in force there, and start from it where nothing else is to be had')
    .option('--kubeconfig <file>', "of a Secret: else the pod's service account, else $KUBECONFIG, else ~/.kube/config")
    .option('--context <name>', 'of the kubeconfig')
    .addOption(
      new Option('--drain-delay <duration>', 'after a signal, serve on for so long before work in flight is finished')
        .argParser(readDelay)
        .default(0, '0s'),
    )
    .action(async (file: string | undefined, { drainDelay, config, ...options }: RunArguments) => {
      const named = oneFile(file, config)
      code = await run({ ...options, ...(named === undefined ? {} : { config: named }), drainDelayMs: drainDelay, ...globals() }, terminal)
    })
  program
    .command('check')
    .description('say all that is wrong with configuration files')
    .argument('[file...]', 'else as `run` finds it')
    .option('--config <file>', 'the same')
    .option('--print', 'print the long form of one file', false)
    .option('--no-env', 'let variables be unset and `${file:}` references unreadable: what they stand for is not checked')
    .action((files: string[], { config, print, env }: { config?: string; print: boolean; env: boolean }) => {
      if (print && (files.length > 1 || !env)) program.error('error: --print is for one file, with its variables set')
      code = check(config === undefined ? files : [...files, config], { print, skipsUnresolved: !env, output: format() }, terminal)
    })
  program
    .command('tools')
    .description('list what an endpoint or the servers of a file offer, with the cost of the list in tokens')
    .argument('[target]', 'a URL or a configuration file')
    .option('--config <file>', 'the same')
    .option('--agent <name>', 'what a caller of this agent sees')
    .addOption(new Option('--token <file>', "with the caller's token; - is standard input").conflicts(['claims', 'apiKey']))
    .addOption(new Option('--claims <file>', 'of a file: with the claims of a token, as JSON').conflicts(['token', 'apiKey']))
    .addOption(
      new Option('--api-key <key>', 'of a configuration file: the id of an API key; of a URL: a file that holds the key').conflicts([
        'token',
        'claims',
      ]),
    )
    .action(async (target: string | undefined, { config, ...options }: Omit<ToolsOptions, 'output'> & { readonly config?: string }) => {
      code = await tools(oneFile(target, config), { ...options, ...globals() }, terminal)
    })
  program
    .command('why')
    .description('say what allows or hides a tool: every layer that a call of an agent passes, and its place in the file')
    .argument('<tool>', 'its exposed name')
    .requiredOption('--agent <name>', 'who asks')
    .argument('[file]', 'else as `run` finds it')
    .option('--config <file>', 'the same')
    .addOption(new Option('--token <file>', "with the caller's token; - is standard input").conflicts(['claims', 'apiKey']))
    .addOption(new Option('--claims <file>', 'with the claims of a token, as JSON, taken for verified').conflicts(['token', 'apiKey']))
    .addOption(new Option('--api-key <id>', 'the id of an API key').conflicts(['token', 'claims']))
    .option('--arguments <json>', 'of the call')
    .action(async (tool: string, file: string | undefined, { config, ...options }: Omit<WhyOptions, 'tool' | 'output'>) => {
      const why = await onDemand.why()
      const named = oneFile(file, config)
      code = await why({ ...options, ...(named === undefined ? {} : { config: named }), tool, ...globals() }, terminal)
    })
  program
    .command('test')
    .description("run a file's own `tests`: who must be able to call what")
    .argument('[file]', 'else as `run` finds it')
    .option('--config <file>', 'the same')
    .action(async (file: string | undefined, { config }: { config?: string }) => {
      const testDocument = await onDemand.testDocument()
      code = await testDocument(oneFile(file, config), globals(), terminal)
    })
  program
    .command('translate')
    .description('print the configuration that Kubernetes objects come to, and what is wrong with them')
    .requiredOption('-f, --filename <path...>', 'files and folders with the objects, as YAML or JSON; - is standard input')
    .option('-n, --namespace <name>', 'of objects that say none', 'default')
    .option('--gateway <namespace/name>', 'which one, where there are several')
    .option('--controller-name <name>', 'of the GatewayClasses that are served (default: mcplex.dev/controller)')
    .option('--class <name...>', 'GatewayClasses that are served where they are absent (default: mcplex agentgateway)')
    .option('--cluster-domain <domain>', 'of the names of Services (default: cluster.local)')
    .action(async (options: TranslateOptions) => {
      const translate = await onDemand.translate()
      code = translate(options, globals().output, terminal)
    })
  program
    .command('controller')
    .description('serve the Gateways of a Kubernetes cluster: write their configurations, what they need, and statuses')
    .option('--kubeconfig <file>', "else the pod's service account, else $KUBECONFIG, else ~/.kube/config")
    .option('--context <name>', 'of the kubeconfig')
    .option('-n, --namespace <name>', "of the lease of the controller that leads: else the pod's own, else mcplex-system")
    .option('--controller-name <name>', 'of the GatewayClasses that are served (default: mcplex.dev/controller)')
    .option('--class <name...>', 'GatewayClasses that are made where they are absent (default: mcplex agentgateway)')
    .option('--image <image>', 'of the pods that serve')
    .option('--image-pull-secret <name...>', 'by which their image is pulled')
    .option('--cluster-domain <domain>', 'of the names of Services (default: cluster.local)')
    .option('--listen <address>', 'of /healthz, /readyz and /metrics', '127.0.0.1:8081')
    .addOption(new Option('--log-level <level>', 'of the log on stderr').choices(['debug', 'info', 'warn', 'error']).default('info'))
    .action(async (options: ControllerOptions) => {
      const controller = await onDemand.controller()
      code = await controller(options, terminal)
    })
  program
    .command('audit')
    .description('look at records of audit')
    .helpCommand(false)
    .command('verify')
    .description('say whether records are as they were written, all of them and in their order')
    .argument('<file...>', 'of one chain, the oldest first')
    .option('--key <base64>', 'that the chain was made with: audit.key; others see it in the list of processes', oneMore)
    .option('--key-file <file>', 'which holds such a key; more than one where it has changed', oneMore)
    .option('--after <digest>', 'of the record before the first one, where that is not at hand')
    .action(async (files: string[], options: AuditVerifyOptions) => {
      const auditVerify = await onDemand.auditVerify()
      code = await auditVerify(files, options, globals().output, terminal)
    })
  program
    .command('schema')
    .description('print the JSON Schema of configuration files')
    .action(() => printJson(terminal.stdout, jsonSchema()))
  addHelp(program)

  try {
    await program.parseAsync(args.length === 0 ? ['run'] : args, { from: 'user' })
    return code
  } catch (error) {
    // Commander has already printed what is wrong with the arguments.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.good : exitCode.wrongArguments
    printLine(terminal.stderr, `mcplex has a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return exitCode.bug
  }
}

const maxDelayMs = 3_600_000

/** Collects the values of an option that may be written several times. */
function oneMore(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

/** Milliseconds. */
function readDelay(text: string): number {
  try {
    const ms = durationMs(text)
    if (ms <= maxDelayMs) return ms
  } catch {
    // Reported below.
  }
  throw new InvalidArgumentError('Write it such as 5s, at most 1h.')
}
