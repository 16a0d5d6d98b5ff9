import { type Finding, finding, unknownFields } from './finding.ts'
import type { KubeObject, Raw } from './model.ts'
import { listAt, textAt, valueAt } from './raw.ts'
import { readSelector } from './selected-targets.ts'
import type { Services } from './services.ts'
import { readStatic } from './static-targets.ts'
import type { World } from './world.ts'

/** A server that a target asks for. */
export interface Candidate {
  readonly name: string
  /** Of the target, which policies may name. */
  readonly target: string
  readonly http: Raw
  /** `ns/name` of the Service that it is behind. */
  readonly service: string | undefined
  /** The `policies` of the target itself. */
  readonly policies: unknown
  /** Whether a Service was selected, which may lead to several servers of one name. */
  readonly isSelected: boolean
  /** Where its parts are written. */
  readonly places: Readonly<Record<'whole' | 'name' | 'host' | 'port' | 'path' | 'policies', string>>
}

export interface TargetsReading {
  /** In the order of the targets. */
  readonly candidates: readonly Candidate[]
  readonly findings: readonly Finding[]
}

/** The servers that a backend's `spec.mcp.targets` ask for; a target that can't be served is named and left out. */
export function readTargets(
  object: KubeObject,
  services: Services,
  world: World,
): TargetsReading & { /** Also of those that are left out. */ readonly staticNames: ReadonlySet<string> } {
  const readings: TargetsReading[] = []
  const names = new Set<string>()
  const targets = listAt(object, 'spec', 'mcp', 'targets')
  for (const [index, target] of targets.entries()) {
    const place = `spec.mcp.targets[${index}]`
    const name = textAt(target, 'name')
    if (name === undefined) readings.push(leftOut(`${place}.name is missing: give the target a name`))
    else if (names.has(name)) readings.push(leftOut(`${place}.name: an earlier target is called ${name} too: rename one`))
    else readings.push(readTarget(target, { name, place, object, services, world }))
    names.add(name ?? '')
  }
  return {
    candidates: readings.flatMap(({ candidates }) => candidates),
    findings: readings.flatMap(({ findings }) => findings),
    staticNames: new Set(targets.flatMap((target) => (valueAt(target, 'static') === undefined ? [] : (textAt(target, 'name') ?? [])))),
  }
}

export interface TargetContext {
  readonly name: string
  readonly place: string
  /** The backend. */
  readonly object: KubeObject
  readonly services: Services
  readonly world: World
}

function readTarget(target: unknown, context: TargetContext): TargetsReading {
  const { place } = context
  const [host, selector] = [valueAt(target, 'static'), valueAt(target, 'selector')]
  const unknown = unknownFields(target, ['name', 'static', 'selector'], place, 'part')
  if (unknown.length > 0) return { candidates: [], findings: unknown }
  if ((host === undefined) === (selector === undefined)) return leftOut(`${place}: write exactly one of static and selector`)
  return host === undefined ? readSelector(selector, context) : readStatic(host, context)
}

function leftOut(message: string): TargetsReading {
  return { candidates: [], findings: [finding('part', 'Invalid', message)] }
}
