import { fragmentErrors, sentenceOf } from '../fragments/fragments.ts'
import { isRaw, listAt, type ObjectRef, type Raw, textAt, unknownMembers, valueAt } from '../objects/objects.ts'
import type { PolicyFault } from './policy-fault.ts'
import { localRef, type Referring, referencedText } from './referenced-text.ts'

/** The key of a Secret that agentgateway reads by default. Its value may begin with the prefix `Bearer `. */
const usualKey = 'Authorization'
const bearer = 'Bearer '

/** What a `BackendAuth` comes to: headers that the gateway adds to requests to the server. */
export interface CredentialsReading {
  readonly credentials: Raw | undefined
  readonly faults: readonly PolicyFault[]
  readonly wanted: readonly ObjectRef[]
}

interface Header {
  readonly name: string
  readonly value: string
}

/**
 * Reads the headers that a `BackendAuth` adds: that of `key` or `secretRef`, and those of `credentials`. Of several for one header the last
 * counts, as in agentgateway.
 */
export function readCredentials(auth: unknown, namespace: string, place: string, from: Referring): CredentialsReading {
  if (!isRaw(auth)) return { credentials: undefined, faults: [], wanted: [] }
  const faults: PolicyFault[] = []
  const wanted: ObjectRef[] = []
  const headers = new Map<string, Header>()

  const secretAt = (holder: unknown, here: string, isPrimary: boolean): string | undefined => {
    const ref = localRef(valueAt(holder, 'secretRef'), namespace, ['Secret'])
    if (ref === undefined) {
      faults.push(invalid(`${here}.secretRef names no Secret: write its name`))
      return undefined
    }
    wanted.push(ref)
    const key = textAt(holder, 'secretRef', 'key') ?? usualKey
    const found = referencedText(ref, key, `${here}.secretRef`, from)
    if (found.kind === 'fault') {
      faults.push(found.fault)
      return undefined
    }
    const value = found.text.trim()
    return isPrimary && key === usualKey && value.startsWith(bearer) ? value.slice(bearer.length).trim() : value
  }
  const add = (here: string, location: unknown, value: string | undefined): void => {
    if (value === undefined) return
    const header = headerAt(location, value)
    if (header === undefined) {
      faults.push(invalid(`${here}.location names no header: write header.name`))
      return
    }
    const wrong = headerFault(header, here)
    if (wrong !== undefined) faults.push(wrong)
    else headers.set(header.name.toLowerCase(), header)
  }

  const key = textAt(auth, 'key')
  if (key !== undefined) add(place, valueAt(auth, 'location'), key)
  if (valueAt(auth, 'secretRef') !== undefined) {
    if (key === undefined) add(place, valueAt(auth, 'location'), secretAt(auth, place, true))
    else faults.push(invalid(`${place} has both key and secretRef: keep one of them`))
  }
  for (const [index, credential] of listAt(auth, 'credentials').entries()) {
    const here = `${place}.credentials[${index}]`
    if (valueAt(credential, 'location') === undefined) faults.push(invalid(`${here} has no location: write location.header.name`))
    else add(here, valueAt(credential, 'location'), secretAt(credential, here, false))
  }
  const isEmpty = key === undefined && listAt(auth, 'credentials').length === 0
  if (isEmpty && unknownMembers(auth, ['key', 'location', 'credentials']).length === 0)
    faults.push(invalid(`${place} shows the server nothing: write key, secretRef or credentials`))
  const credentials =
    headers.size === 0 ? undefined : { header: Object.fromEntries([...headers.values()].map(({ name, value }) => [name, value])) }
  return { credentials, faults, wanted }
}

/**
 * The header for a credential: by default `Authorization` with the prefix `Bearer `, otherwise that of `location` with the prefix written
 * there, if any.
 */
function headerAt(location: unknown, value: string): Header | undefined {
  if (location === undefined) return { name: 'Authorization', value: `${bearer}${value}` }
  const name = textAt(location, 'header', 'name')
  return name === undefined ? undefined : { name, value: `${textAt(location, 'header', 'prefix') ?? ''}${value}` }
}

/** The most characters of a header's value. Servers take 8 to 16 KiB of headers, and each target in the document repeats them. */
const maxValue = 8192

function headerFault({ name, value }: Header, place: string): PolicyFault | undefined {
  if (value.length > maxValue)
    return invalid(`${place} adds the header ${name.slice(0, 80)}, which is longer than ${maxValue} characters: write a shorter one`)
  const server = { http: { host: 'probe', port: 1 }, credentials: { header: { [name]: value } } }
  const [problem] = fragmentErrors({ backends: { probe: { servers: { probe: server } } } })
  return problem === undefined ? undefined : invalid(`${place} adds the header ${name.slice(0, 80)}: ${sentenceOf(problem)}`)
}

function invalid(message: string): PolicyFault {
  return { reason: 'Invalid', message, closes: true }
}
