import { finding, type KubeObject, listAt, textAt, unknownFields, valueAt } from '../objects/objects.ts'
import type { TargetContext, TargetsReading } from './candidate.ts'
import { readSelector } from './selected-targets.ts'
import { readStatic } from './static-targets.ts'

/** What the targets of a backend come to. */
export interface BackendTargets extends TargetsReading {
  /** The names of all its static targets, also of those that are not served. */
  readonly staticNames: ReadonlySet<string>
}

/** Servers of one backend. Beyond it targets are left out, those with a selector first. */
const maxServers = 256

/** Reads the servers that a backend's `spec.mcp.targets` ask for. A target that can't be served is left out and reported. */
export function readTargets(object: KubeObject, context: Pick<TargetContext, 'services' | 'world' | 'searched'>): BackendTargets {
  const readings: TargetsReading[] = []
  const names = new Set<string>()
  const all = listAt(object, 'spec', 'mcp', 'targets')
  const targets = all.slice(0, maxServers)
  let room = maxServers - targets.filter(isStatic).length
  for (const [index, target] of targets.entries()) {
    const place = `spec.mcp.targets[${index}]`
    const name = textAt(target, 'name')
    if (name === undefined) readings.push(leftOut(`${place}.name is missing: give the target a name`))
    else if (names.has(name)) readings.push(leftOut(`${place}.name: an earlier target is called ${name} too: rename one`))
    else {
      const reading = readTarget(target, { ...context, name, place, object, room })
      readings.push(reading)
      room -= reading.ports ?? 0
    }
    names.add(name ?? '')
  }
  if (all.length > targets.length) {
    readings.push(
      leftOut(`spec.mcp.targets: a backend has at most ${maxServers} servers: move those from the ${maxServers + 1}th on to another`),
    )
  }
  return {
    candidates: readings.flatMap(({ candidates }) => candidates),
    findings: readings.flatMap(({ findings }) => findings),
    staticNames: new Set(all.filter(isStatic).flatMap((target) => textAt(target, 'name') ?? [])),
  }
}

function isStatic(target: unknown): boolean {
  return valueAt(target, 'static') !== undefined
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
