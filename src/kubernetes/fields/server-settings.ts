import {
  type Finding,
  finding,
  type ObjectRef,
  type Observations,
  type Raw,
  rawAt,
  textAt,
  valueAt,
  type World,
} from '../objects/objects.ts'
import { gepDuration } from './go-duration.ts'
import { closingFirst, type PolicyFault } from './policy-fault.ts'
import { leftOut, type PolicyField } from './policy-field.ts'
import { backendFields } from './policy-fields.ts'
import { readCredentials } from './server-credentials.ts'
import { readTls } from './server-tls.ts'

/** How a server is reached: members of a server in the document. */
export interface ServerSettings {
  readonly tls?: Raw
  readonly credentials?: Raw
  /** GEP-2257. */
  readonly connectTimeout?: string
  readonly requestTimeout?: string
}

/** What the `backend` of a policy, or the `policies` of a backend or of a target, come to. */
export interface ServerSettingsReading {
  readonly settings: ServerSettings
  readonly faults: readonly PolicyFault[]
  readonly wanted: readonly ObjectRef[]
}

/**
 * Reads what the `backend` of a policy, or the `policies` of an AgentgatewayBackend or of one of its targets, say of how servers are
 * reached. Faults that close come first; settings with such a fault must not be used.
 * @param namespace of the object, in which its Secrets and ConfigMaps are
 * @param from `place` is that of `raw` in the object, such as `spec.backend`. Without `areSecretsRead` Secrets and ConfigMaps are not read:
 * a fault with the reason Pending says so, and the settings are incomplete
 * @param fields the fields that may stand there; rules for MCP among them are read by `readMcp`
 */
export function readServerSettings(
  raw: unknown,
  namespace: string,
  from: { readonly world: World; readonly observed: Observations; readonly areSecretsRead: boolean; readonly place: string },
  fields: PolicyField = backendFields,
): ServerSettingsReading {
  const { place } = from
  const tls = readTls(valueAt(raw, 'tls'), namespace, `${place}.tls`, from)
  const auth = readCredentials(valueAt(raw, 'auth'), namespace, `${place}.auth`, from)
  const connect = readTimeout(rawAt(raw, 'tcp'), 'connectTimeout', `${place}.tcp`)
  const request = readTimeout(rawAt(raw, 'http'), 'requestTimeout', `${place}.http`)
  const settings: ServerSettings = {
    ...(tls.tls === undefined ? {} : { tls: tls.tls }),
    ...(auth.credentials === undefined ? {} : { credentials: auth.credentials }),
    ...(connect.timeout === undefined ? {} : { connectTimeout: connect.timeout }),
    ...(request.timeout === undefined ? {} : { requestTimeout: request.timeout }),
  }
  const named = Object.entries({ tls, auth }).flatMap(([name, reading]) =>
    from.areSecretsRead || reading.wanted.length === 0 ? reading.faults : [unlookedFault(`${place}.${name}`)],
  )
  const faults = [...leftOut(raw, fields, place), ...named, ...connect.faults, ...request.faults]
  return { settings, faults: closingFirst(faults), wanted: from.areSecretsRead ? [...tls.wanted, ...auth.wanted] : [] }
}

function unlookedFault(place: string): PolicyFault {
  const message = `${place}: what it names is looked at once a route or an Agent of mcplex leads there`
  return { reason: 'Pending', message, closes: false }
}

/** A fault as a finding of a backend. One that closes costs `closing`, one that is only Pending nothing, any other a part. */
export function settingsFinding({ closes, reason, message }: PolicyFault, closing: 'all' | 'part'): Finding {
  return finding(closes ? closing : reason === 'Pending' ? 'nothing' : 'part', reason, message)
}

/** Reads a member that is a duration. Where it can't be read, the default time limit holds, so the fault does not close. */
export function readTimeout(
  holder: unknown,
  name: string,
  place: string,
): { readonly timeout: string | undefined; readonly faults: readonly PolicyFault[] } {
  const text = textAt(holder, name)
  const timeout = text === undefined ? undefined : gepDuration(text)
  if (text === undefined || timeout !== undefined) return { timeout, faults: [] }
  const message = `${place}.${name} is not a duration of 1ms or more: write a number with h, m, s or ms, such as 500ms, 5s or 1h30m`
  return { timeout, faults: [{ reason: 'Invalid', message, closes: false }] }
}
