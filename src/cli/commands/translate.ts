import { parse } from 'yaml'
import { documentBounds, parsePlain, printConfig, redactConfig } from '../../config/config.ts'
import {
  defaultSettings,
  documentWithoutEndpoints,
  type GatewayPlan,
  type KubeObject,
  nameKey,
  readObjects,
  translate as translateObjects,
  valueAt,
} from '../../kubernetes/kubernetes.ts'
import { escapeUnsafe } from '../../observe/observe.ts'
import { statusLines } from '../kubernetes/kubernetes.ts'
import { exitCode, printLine, type Terminal, version } from '../terminal/terminal.ts'

export interface TranslateOptions {
  /** Files and folders with objects; `-` is standard input. */
  readonly filename: readonly string[]
  /** The namespace of objects that name none. */
  readonly namespace: string
  /** `NAMESPACE/NAME` of the Gateway; needed where there are several. */
  readonly gateway?: string
  readonly controllerName?: string
  readonly class?: readonly string[]
  readonly clusterDomain?: string
}

/**
 * `mcplex translate`: prints the Config that a Gateway's objects are translated to, with literal secrets redacted, as a document that
 * `mcplex check` accepts. It leaves out addresses of pods, which would soon be out of date. Conditions that the objects' statuses would
 * report go to stderr, and it ends with 1; where files can't be read or there is no document, it ends with 78.
 */
export function translate(options: TranslateOptions, output: 'text' | 'json', terminal: Terminal): number {
  const say = (text: string): void => printLine(terminal.stderr, escapeUnsafe(text))
  const { objects, problems } = readObjects(options.filename, options.namespace)
  for (const { file, line, text } of problems) say(`${line === undefined ? file : `${file}:${line}`}: ${text}`)
  if (problems.length > 0) return exitCode.badConfiguration

  const usual = defaultSettings(version)
  const settings = {
    ...usual,
    controllerName: options.controllerName ?? usual.controllerName,
    classes: options.class ?? usual.classes,
    clusterDomain: options.clusterDomain ?? usual.clusterDomain,
  }
  const { gateways, statuses } = translateObjects(objects, settings)
  const known = gateways.map(nameKey)
  const chosen = options.gateway === undefined ? gateways : gateways.filter((gateway) => nameKey(gateway) === options.gateway)
  const complaints = statuses.flatMap(statusLines)
  for (const complaint of complaints) say(complaint)
  if (gateways.length === 0) {
    for (const line of foreignLines(objects, settings.controllerName)) say(line)
    say(`there is no Gateway of a class of ${settings.controllerName}; where the objects hold no class: ${settings.classes.join(', ')}`)
    return exitCode.badConfiguration
  }
  const [gateway, ...others] = chosen
  if (gateway === undefined || others.length > 0) {
    say(
      `${gateway === undefined ? `there is no Gateway ${options.gateway}` : 'there are several Gateways'}: give --gateway ${known.join(' or ')}`,
    )
    return exitCode.wrongArguments
  }
  return print(gateway, complaints.length === 0, output, terminal)
}

/** Lines about Gateways of other controllers, and how to translate them all the same. */
function foreignLines(objects: readonly KubeObject[], controllerName: string): readonly string[] {
  const classes = new Map(objects.flatMap((one) => (one.kind === 'GatewayClass' ? [[one.metadata.name, controllerOf(one)] as const] : [])))
  return objects.flatMap((one) => {
    if (one.kind !== 'Gateway') return []
    const { namespace = '', name } = one.metadata
    const gatewayClass = valueAt(one, 'spec', 'gatewayClassName')
    const controller = classes.get(String(gatewayClass))
    if (controller === undefined) return [`Gateway ${namespace}/${name} is of class ${gatewayClass}, which is not among the objects`]
    if (controller === controllerName) return []
    return [
      `Gateway ${namespace}/${name} is of class ${gatewayClass}, which belongs to ${controller}: give --controller-name ${controller}, or leave the class out`,
    ]
  })
}

function controllerOf(gatewayClass: KubeObject): string {
  return String(valueAt(gatewayClass, 'spec', 'controllerName'))
}

function print({ namespace, name, document }: GatewayPlan, isGood: boolean, output: 'text' | 'json', { stdout, stderr }: Terminal): number {
  const lasting = document && documentWithoutEndpoints(document)
  const config = lasting && parsePlain(lasting, { env: {}, readFile: () => '' }).config
  if (config === undefined) {
    printLine(stderr, `Gateway ${namespace}/${name} comes to no valid configuration`)
    return exitCode.badConfiguration
  }
  const yaml = printConfig(redactConfig(config))
  if (yaml !== printConfig(config)) printLine(stderr, 'literal secrets are [redacted]: write ${VAR} in their place before you run it')
  stdout.write(documentText(yaml, output))
  return isGood ? exitCode.good : exitCode.failed
}

/** A document as printed YAML; if that is larger than `check` accepts, as JSON on one line, which is YAML too. */
export function documentText(yaml: string, output: 'text' | 'json', maxBytes: number = documentBounds.bytes): string {
  const text = output === 'json' ? `${JSON.stringify(parse(yaml), undefined, 2)}\n` : yaml
  return Buffer.byteLength(text) <= maxBytes ? text : `${JSON.stringify(parse(yaml))}\n`
}
