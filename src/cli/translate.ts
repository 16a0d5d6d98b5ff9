import { parse } from 'yaml'
import { parsePlain, printConfig, redactConfig } from '../config/config.ts'
import { defaultSettings, type GatewayPlan, nameKey, readObjects, translate as translateObjects } from '../kubernetes/kubernetes.ts'
import { escapeUnsafe } from '../observe/observe.ts'
import { exitCode } from './exit-code.ts'
import { statusLines } from './status-lines.ts'
import { printJson, printLine, type Terminal } from './terminal.ts'
import { version } from './version.ts'

export interface TranslateOptions {
  /** Files and folders. */
  readonly files: readonly string[]
  /** Of objects that say none. */
  readonly namespace: string
  /** `ns/name`; needed where there are several. */
  readonly gateway: string | undefined
  readonly output: 'text' | 'json'
}

/**
 * `mcplex translate`: the Config that a Gateway's objects come to, with literal secrets redacted, as a document that `mcplex check` takes.
 * What the objects' statuses would complain of goes to stderr, and ends with 1; files that can't be read, or no document, with 78.
 */
export function translate(options: TranslateOptions, terminal: Terminal): number {
  const say = (text: string): void => printLine(terminal.stderr, escapeUnsafe(text))
  const { objects, problems } = readObjects(options.files, options.namespace)
  for (const { file, line, text } of problems) say(`${line === undefined ? file : `${file}:${line}`}: ${text}`)
  if (problems.length > 0) return exitCode.badConfiguration

  const settings = defaultSettings(version)
  const { gateways, statuses } = translateObjects(objects, settings)
  const known = gateways.map(nameKey)
  const chosen = options.gateway === undefined ? gateways : gateways.filter((gateway) => nameKey(gateway) === options.gateway)
  const complaints = statuses.flatMap(statusLines)
  for (const complaint of complaints) say(complaint)
  if (gateways.length === 0) {
    say(`there is no Gateway of a class of ${settings.controllerName}: ${settings.classes.join(', ')}`)
    return exitCode.badConfiguration
  }
  const [gateway, ...others] = chosen
  if (gateway === undefined || others.length > 0) {
    say(
      `${gateway === undefined ? `there is no Gateway ${options.gateway}` : 'there are several Gateways'}: give --gateway ${known.join(' or ')}`,
    )
    return exitCode.wrongArguments
  }
  return print(gateway, complaints.length === 0, options, terminal)
}

function print(
  { namespace, name, document }: GatewayPlan,
  isGood: boolean,
  { output }: TranslateOptions,
  { stdout, stderr }: Terminal,
): number {
  const config = document === undefined ? undefined : parsePlain(document, { env: {}, readFile: () => '' }).config
  if (config === undefined) {
    printLine(stderr, `Gateway ${namespace}/${name} comes to no valid configuration`)
    return exitCode.badConfiguration
  }
  const yaml = printConfig(redactConfig(config))
  if (output === 'json') printJson(stdout, parse(yaml))
  else stdout.write(yaml)
  return isGood ? exitCode.good : exitCode.failed
}
