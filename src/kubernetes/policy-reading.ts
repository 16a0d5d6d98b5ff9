import type { Fault, KubeObject, ObjectRef } from './model.ts'
import { leftOut, policyFields } from './policy-fields.ts'
import { type PolicyTarget, policyTargets, type TargetContext, type TargetKind } from './policy-targets.ts'
import { rawAt, valueAt } from './raw.ts'
import type { Referring } from './referenced-text.ts'
import { closingFirst, readServerSettings, readTimeout } from './server-settings.ts'
import type { PolicyEffect, PolicyFault } from './views.ts'

export interface PolicyReading {
  readonly object: KubeObject
  readonly targets: readonly PolicyTarget[]
  readonly unserved: readonly Fault[]
  /** What it says for targets of a kind. */
  says(kind: TargetKind): PolicySaying
}

export interface PolicySaying {
  readonly faults: readonly PolicyFault[]
  readonly claims: readonly Claim[]
  readonly wanted: readonly ObjectRef[]
}

/** A field that holds as a whole: of several policies for one place one has it. */
export interface Claim {
  /** Such as `spec.backend.tls`. */
  readonly field: string
  readonly effect: Partial<Pick<PolicyEffect, 'requestTimeout' | 'server'>>
}

export function readPolicy(object: KubeObject, context: TargetContext & Referring): PolicyReading {
  const { targets, unserved } = policyTargets(object, context)
  const areSecretsRead = targets.some(({ ref }) => context.uses.isServing(ref))
  const known = new Map([...new Set(targets.map(({ kind }) => kind))].map((kind) => [kind, saying(kind, object, context, areSecretsRead)]))
  return { object, targets, unserved, says: (kind) => known.get(kind) ?? nothing }
}

const nothing: PolicySaying = { faults: [], claims: [], wanted: [] }

function saying(kind: TargetKind, object: KubeObject, { world, observed }: Referring, areSecretsRead: boolean): PolicySaying {
  const spec = rawAt(object, 'spec')
  const faults = leftOut(spec, policyFields[kind], 'spec')
  if (kind === 'Gateway' || kind === 'HTTPRoute') {
    const timeouts = valueAt(spec, 'traffic', 'timeouts')
    if (timeouts === undefined) return { ...nothing, faults: closingFirst(faults) }
    const request = readTimeout(timeouts, 'request', 'spec.traffic.timeouts')
    const effect = request.timeout === undefined ? {} : { requestTimeout: request.timeout }
    return { faults: closingFirst([...faults, ...request.faults]), claims: [{ field: 'spec.traffic.timeouts', effect }], wanted: [] }
  }
  const backend = valueAt(spec, 'backend')
  const place = 'spec.backend'
  const reading = readServerSettings(backend, object.metadata.namespace ?? '', { world, observed, areSecretsRead, place })
  const { tls, credentials, connectTimeout, requestTimeout } = reading.settings
  const settings = {
    tls: tls === undefined ? {} : { tls },
    auth: credentials === undefined ? {} : { credentials },
    tcp: connectTimeout === undefined ? {} : { connectTimeout },
    http: requestTimeout === undefined ? {} : { requestTimeout },
  }
  const claims = Object.entries(settings).flatMap(([name, server]) =>
    valueAt(backend, name) === undefined ? [] : [{ field: `${place}.${name}`, effect: { server } }],
  )
  return { faults: closingFirst([...faults, ...reading.faults]), claims, wanted: reading.wanted }
}
