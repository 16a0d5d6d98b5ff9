import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseAllDocuments } from 'yaml'
import { authenticationOn, parsePlain } from '../../config/config.ts'
import {
  defaultSettings,
  isRaw,
  listAt,
  nameKey,
  type Raw,
  rawAt,
  readObject,
  refKey,
  refOf,
  slim,
  textAt,
  valueAt,
} from '../objects/objects.ts'
import { type Translation, translate } from './translate.ts'

const settings = defaultSettings('1.0.0')

/** Stands in every text of the golden inputs that is a secret, and in no other. */
const mark = 'hush'

/** The objects of each golden input, a world of its own. */
const worlds = globSync(join(import.meta.dirname, 'golden/**/*.in.yaml'))
  .sort()
  .map((path) => parseAllDocuments(readFileSync(path, 'utf8')).flatMap((document): unknown[] => document.toJS() ?? []))
const all = worlds.flat()

type Path = readonly string[]

/** The paths of all that a value is made of. */
function pathsIn(value: unknown, path: Path = []): readonly Path[] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return [path, ...inner.flatMap(([key, member]) => pathsIn(member, [...path, key]))]
}

function at(value: unknown, path: Path): unknown {
  return path.reduce((here, key) => (typeof here === 'object' && here !== null ? Reflect.get(here, key) : undefined), value)
}

/** A copy in which another value, or where that is `undefined` nothing, is at a path. */
function replaced(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined) return by
  if (Array.isArray(value)) return value.flatMap((item, index) => (String(index) === first ? (replaced(item, rest, by) ?? []) : [item]))
  const members = Object.entries(isRaw(value) ? value : {})
  return Object.fromEntries(members.map(([key, member]) => [key, key === first ? replaced(member, rest, by) : member]))
}

const isSecret = (value: unknown): boolean => textAt(value, 'kind') === 'Secret' || JSON.stringify(value).includes(mark)

/** Parts of other objects, which may be of the right type in a place that is not theirs. */
const parts = all.filter((object) => !isSecret(object)).flatMap((object) => pathsIn(object).map((path) => at(object, path)))
const junk = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom(...parts),
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom('', '${X}', '__proto__', '../..', -1, 1e300, [null], { '': {} }, { matchLabels: 7 }),
)

/** A world in which up to three members of objects are gone, or are something else. */
function brokenFrom(from: readonly (readonly unknown[])[]): fc.Arbitrary<readonly unknown[]> {
  return fc.tuple(fc.constantFrom(...from), fc.array(fc.tuple(fc.nat(), fc.nat(), junk), { maxLength: 3 })).map(([world, changes]) =>
    changes.reduce<readonly unknown[]>((objects, [which, where, by]) => {
      const index = which % objects.length
      const paths = pathsIn(objects[index])
      return objects.map((object, other) => (other === index ? replaced(object, paths[where % paths.length] ?? [], by) : object))
    }, world),
  )
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(Object.freeze(value))) frozen(member)
  return value
}

/** Each server that requests can get to, with the way to it: by what they match, whatever the route is called. */
function reachable({ gateways }: Translation): ReadonlyMap<string, { readonly agent: string | undefined }> {
  const found = new Map<string, { readonly agent: string | undefined }>()
  for (const { namespace, name, document } of gateways) {
    for (const route of listAt(document, 'routes')) {
      for (const rule of listAt(route, 'rules')) {
        for (const target of listAt(rule, 'backends')) {
          const agent = textAt(target, 'agent')
          const backends = agent === undefined ? [textAt(target, 'backend')] : listAt(document, 'agents', agent, 'from')
          for (const backend of backends.map(String)) {
            for (const server of Object.keys(rawAt(document, 'backends', backend, 'servers'))) {
              for (const listener of listAt(route, 'listeners')) {
                const way = [
                  nameKey({ namespace, name }),
                  listener,
                  valueAt(route, 'hostnames'),
                  valueAt(rule, 'matches'),
                  agent,
                  backend,
                  server,
                ]
                found.set(JSON.stringify(way), { agent })
              }
            }
          }
        }
      }
    }
  }
  return found
}

/** Agents that are refused as their backends are in each other's way: one backend less can mend that, or a policy that makes them alike. */
function agentsWithCollisions({ statuses }: Translation): ReadonlySet<string> {
  const collided = statuses.filter(
    (status) =>
      status.object.kind === 'Agent' &&
      status.kind === 'whole' &&
      listAt(status.status, 'conditions').some((condition) =>
        /both have a server|name it once|callers differently/.test(textAt(condition, 'message') ?? ''),
      ),
  )
  return new Set(collided.map(({ object }) => nameKey(refOf(object))))
}

describe('whatever stands in the objects', () => {
  it('nothing is thrown or changed, the order of objects is of no matter, and every document is valid', () => {
    const shuffled = brokenFrom(worlds).chain((objects) =>
      fc.tuple(fc.constant(objects), fc.shuffledSubarray([...objects], { minLength: objects.length })),
    )
    fc.assert(
      fc.property(shuffled, ([objects, others]) => {
        const translation = translate(frozen(objects), settings)
        assert.deepEqual(translate(others, settings), translation)
        for (const { document } of translation.gateways) {
          if (document === undefined) continue
          const { problems } = parsePlain(document, { origin: 'kubernetes', env: {}, readFile: () => '' })
          assert.deepEqual(
            problems.filter(({ severity }) => severity === 'error'),
            [],
          )
        }
      }),
      { numRuns: 300 },
    )
  })

  it('what is kept of the objects comes to the same as all of them', () => {
    const told = (objects: readonly unknown[]) => {
      const { statuses, ...others } = translate(objects, settings)
      return { ...others, statuses: statuses.map(({ object, ...status }) => ({ ...status, of: refOf(object) })) }
    }
    for (const world of worlds) assert.deepEqual(told(world.flatMap((object) => slim(object) ?? [])), told(world))
  })

  it('the pods of a Service are the same however they are spread over its EndpointSlices', () => {
    const object = (apiVersion: string, kind: string, name: string, rest: Raw, labels: Raw = {}): Raw => ({
      apiVersion,
      kind,
      metadata: { namespace: 'ns', name, labels },
      ...rest,
    })
    const others = [
      object('gateway.networking.k8s.io/v1', 'Gateway', 'gw', {
        spec: { gatewayClassName: 'mcplex', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
      }),
      object('gateway.networking.k8s.io/v1', 'HTTPRoute', 'r', {
        spec: { parentRefs: [{ name: 'gw' }], rules: [{ backendRefs: [{ group: 'gateway.kgateway.dev', kind: 'Backend', name: 'b' }] }] },
      }),
      object('gateway.kgateway.dev/v1alpha1', 'Backend', 'b', {
        spec: { type: 'MCP', mcp: { targets: [{ name: 'x', static: { host: 's', port: 80 } }] } },
      }),
      object('v1', 'Service', 's', { spec: { ports: [{ port: 80 }] } }),
    ]
    const slice = (name: string, port: number, endpoints: readonly Raw[]): Raw =>
      object(
        'discovery.k8s.io/v1',
        'EndpointSlice',
        name,
        { addressType: 'IPv4', ports: [{ port }], endpoints },
        { 'kubernetes.io/service-name': 's' },
      )
    const pod = fc.record({
      number: fc.integer({ min: 1, max: 150 }),
      ready: fc.constantFrom(true, true, false, undefined, null),
      port: fc.constantFrom(8000, 8001),
      groups: fc.array(fc.nat(3), { minLength: 1, maxLength: 2 }),
    })
    const pods = fc.uniqueArray(pod, { maxLength: 120, selector: ({ number, port }) => `${number}:${port}` })
    const spread = pods.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }), fc.array(fc.nat(3), { minLength: 1 })),
    )
    fc.assert(
      fc.property(spread, ([list, shuffled, moved]) => {
        const translated = (all: typeof list, groupsOf: (one: (typeof list)[number], index: number) => readonly number[]) => {
          const placed = all.flatMap((one, index) => groupsOf(one, index).map((group) => ({ ...one, group })))
          const slices = [...Map.groupBy(placed, ({ group, port }) => `${group} ${port}`).values()].flatMap((some) => {
            const endpoints = some.map(({ number, ready }) => ({ addresses: [`10.1.0.${number}`], conditions: { ready } }))
            return some[0] === undefined ? [] : [slice(`s-${some[0].group}-${some[0].port}`, some[0].port, endpoints)]
          })
          return translate([...others, ...slices], settings)
        }
        const translation = translated(list, ({ groups }) => groups)
        assert.deepEqual(
          translated(shuffled, (_, index) => [moved[index % moved.length] ?? 0]),
          translation,
        )
        const ready = list.filter((one) => one.ready !== false).map(({ number, port }) => `10.1.0.${number}:${port}`)
        const servers = translation.gateways.flatMap(({ document }) =>
          Object.values(rawAt(document, 'backends')).flatMap((backend) => Object.values(rawAt(backend, 'servers'))),
        )
        assert.deepEqual(
          servers.map((server) => listAt(server, 'http', 'endpoints')),
          [ready.sort().slice(0, 64)],
        )
      }),
      { numRuns: 100 },
    )
  })

  it('no status tells a secret', () => {
    const withSecrets = worlds.filter((world) => world.some(isSecret))
    const encoded = all.filter((object) => textAt(object, 'kind') === 'Secret').flatMap((object) => Object.values(rawAt(object, 'data')))
    const secrets = [mark, ...encoded.filter((value) => typeof value === 'string' && value.length > 8)].map(String)
    fc.assert(
      fc.property(brokenFrom(withSecrets), (objects) => {
        const told = JSON.stringify(translate(objects, settings).statuses.map(({ object: _, ...status }) => status))
        for (const secret of secrets) assert.ok(!told.includes(secret), told)
      }),
      { numRuns: 200 },
    )
  })

  it('one policy more leads nowhere further', () => {
    const isPolicy = (object: unknown): boolean => textAt(object, 'kind') === 'AgentgatewayPolicy'
    const specs = all.filter(isPolicy).map((object) => rawAt(object, 'spec'))
    const targetable = ['Gateway', 'HTTPRoute', 'AgentgatewayBackend', 'Service']
    const sections = [undefined, 'http', 'math', 'date', 'named', '80']
    const isWithin = (one: Translation, other: Translation): void => {
      const known = reachable(other)
      const collided = agentsWithCollisions(other)
      const further = [...reachable(one)].flatMap(([way, { agent }]) =>
        known.has(way) || (agent !== undefined && collided.has(agent)) ? [] : [way],
      )
      assert.deepEqual(further, [])
    }
    const check = (objects: readonly unknown[], spec: Raw, section: string | undefined, created: string): void => {
      const translation = translate(objects, settings)
      for (const policy of objects.filter(isPolicy)) {
        const others = objects.filter((object) => object !== policy)
        isWithin(translation, translate(others, settings))
      }
      for (const target of objects.flatMap((value) => readObject(value) ?? []).filter(({ kind }) => targetable.includes(kind))) {
        const { namespace, ...ref } = refOf(target)
        const policy = {
          apiVersion: 'agentgateway.dev/v1alpha1',
          kind: 'AgentgatewayPolicy',
          metadata: { name: 'one-more', namespace, creationTimestamp: created },
          spec: { ...spec, targetRefs: [{ ...ref, ...(section === undefined ? {} : { sectionName: section }) }] },
        }
        isWithin(translate([...objects, policy], settings), translation)
      }
    }
    for (const world of worlds) check(world, { traffic: { csrf: {} }, backend: { extAuth: {} } }, undefined, '2000-01-01T00:00:00Z')
    fc.assert(
      fc.property(
        brokenFrom(worlds),
        fc.constantFrom(...specs),
        fc.constantFrom(...sections),
        fc.constantFrom('2000-01-01T00:00:00Z', '2100-01-01T00:00:00Z'),
        check,
      ),
      { numRuns: 150 },
    )
  })

  it('who must say who they are is asked, and what policies forbid stays forbidden, or nothing passes', () => {
    const isRoute = (object: unknown): boolean => textAt(object, 'kind') === 'HTTPRoute'
    const check = (objects: readonly unknown[]): void => {
      const { gateways } = translate(objects, settings)
      const readable = objects.flatMap((value) => readObject(value) ?? [])
      const named = new Map(readable.filter(isRoute).map((object) => [nameKey(refOf(object)), object]))
      const policies = readable.filter((object) => refKey(refOf(object)).startsWith('agentgateway.dev/AgentgatewayPolicy/'))
      const byName = Map.groupBy(policies, (object) => nameKey(refOf(object)))
      // Of several with one name one counts.
      for (const policy of policies.filter((object) => byName.get(nameKey(refOf(object)))?.length === 1)) {
        const routes = listAt(policy, 'spec', 'targetRefs').flatMap((target) => {
          const isWhole = textAt(target, 'kind') === 'HTTPRoute' && textAt(target, 'group') === 'gateway.networking.k8s.io'
          const key = `${policy.metadata.namespace ?? ''}/${textAt(target, 'name')}`
          return isWhole && textAt(target, 'sectionName') === undefined && named.has(key) ? [key] : []
        })
        const traffic = rawAt(policy, 'spec', 'traffic')
        const isAsked = ['jwtAuthentication', 'apiKeyAuthentication'].some((field) => valueAt(traffic, field) !== undefined)
        const rules = [valueAt(traffic, 'authorization'), valueAt(policy, 'spec', 'backend', 'mcp', 'authorization')].flatMap((one) =>
          textAt(one, 'action') === 'Deny' || textAt(one, 'action') === 'Require' ? listAt(one, 'policy', 'matchExpressions') : [],
        )
        for (const { document } of gateways) {
          for (const route of listAt(document, 'routes')) {
            if (!routes.some((key) => textAt(route, 'name') === key || textAt(route, 'name')?.startsWith(`${key}.`))) continue
            for (const rule of listAt(route, 'rules')) {
              if (listAt(rule, 'backends').every((to) => valueAt(to, 'refuse') !== undefined)) continue
              const authenticate = valueAt(rule, 'policies', 'authenticate') ?? valueAt(route, 'policies', 'authenticate')
              assert.ok(!isAsked || authenticate !== undefined, `${textAt(route, 'name')} is open`)
              const written = ['deny', 'require'].flatMap((member) => listAt(rule, 'policies', 'authorize', member))
              for (const one of rules) assert.ok(written.includes(one), `${textAt(route, 'name')} lacks ${String(one)}`)
            }
          }
        }
      }
    }
    for (const world of worlds) check(world)
    const guarding = worlds.filter((world) => /jwtAuthentication|apiKeyAuthentication|authorization/.test(JSON.stringify(world)))
    fc.assert(fc.property(brokenFrom(guarding), check), { numRuns: 300 })
  })

  it('no listener is called safe through which callers need no credentials', () => {
    const check = (objects: readonly unknown[]): void => {
      for (const { document } of translate(objects, settings).gateways) {
        const { config } = parsePlain(document ?? {}, { origin: 'kubernetes', env: {}, readFile: () => '' })
        for (const listener of config?.listeners ?? []) {
          const ways = (config?.routes ?? [])
            .filter((route) => route.listeners?.includes(listener.name))
            .flatMap((route) => route.rules.map((rule) => ({ listener, route, rule })))
            .filter(({ rule }) => rule.backends.some((to) => to.refuse === undefined))
          const isGuarded = config !== undefined && ways.every((way) => authenticationOn(config, way)?.settings.mode === 'strict')
          if (ways.length > 0) assert.equal(listener.insecure, !isGuarded, listener.name)
        }
      }
    }
    for (const world of worlds) check(world)
    fc.assert(fc.property(brokenFrom(worlds), check), { numRuns: 150 })
  })

  it('one ReferenceGrant less leads nowhere further', () => {
    const isGrant = (object: unknown): boolean => textAt(object, 'kind') === 'ReferenceGrant'
    const check = (objects: readonly unknown[]): void => {
      const before = translate(objects, settings)
      const collided = agentsWithCollisions(before)
      const known = reachable(before)
      for (const grant of objects.filter(isGrant)) {
        const after = reachable(
          translate(
            objects.filter((object) => object !== grant),
            settings,
          ),
        )
        const further = [...after].filter(([way, { agent }]) => !known.has(way) && !(agent !== undefined && collided.has(agent)))
        assert.deepEqual(further, [])
      }
    }
    for (const world of worlds) check(world)
    fc.assert(fc.property(brokenFrom(worlds.filter((world) => world.some(isGrant))), check), { numRuns: 150 })
  })
})
