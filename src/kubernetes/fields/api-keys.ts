import { createHash } from 'node:crypto'
import { isRaw, textAt, titleOf, unknownMembers, valueAt } from '../objects/objects.ts'
import { type IdentityContext, type IdentityReading, identityOf, unlooked } from './identity-reading.ts'
import type { PolicyFault } from './policy-fault.ts'
import { localRef, referencedTexts } from './referenced-text.ts'

/** The most keys of one policy; each takes some 150 characters of a document. */
const maxKeys = 1000

interface Entry {
  readonly sha256: string
  readonly claims: unknown
}

/**
 * Reads a policy's `apiKeyAuthentication`. Each entry of its Secret is a key, or a JSON object with `key` or `keyHash`, and `metadata`.
 * Documents have only the digests of keys. An entry that can't be read lets nobody in, and the others hold.
 */
export function readApiKeys(written: unknown, namespace: string, place: string, from: IdentityContext): IdentityReading {
  if (!isRaw(written)) return { identity: undefined, faults: [], wanted: [] }
  const refused = (reason: string, message: string): IdentityReading => ({
    identity: undefined,
    faults: [{ reason, message: `${place}${message}`, closes: true }],
    wanted: [],
  })
  const ref = localRef(valueAt(written, 'secretRef'), namespace, ['Secret'])
  if (ref === undefined) return refused('Invalid', '.secretRef names no Secret: write its name')
  if (!from.areSecretsRead) return { identity: undefined, faults: [unlooked(place)], wanted: [] }
  const wanted = [ref]
  const found = referencedTexts(ref, `${place}.secretRef`, from)
  if (found.kind === 'fault') return { identity: undefined, faults: [found.fault], wanted }
  const title = titleOf(ref)
  if (found.texts.size > maxKeys)
    return { ...refused('Invalid', `.secretRef names ${title}, which has more than ${maxKeys} keys: keep fewer in it`), wanted }
  const faults: PolicyFault[] = []
  const owners = new Map<string, string>()
  const apiKeys = [...found.texts].flatMap(([id, text]) => {
    const entry = text === undefined ? 'is not text in UTF-8' : entryOf(text)
    const owner = typeof entry === 'string' ? undefined : owners.get(entry.sha256)
    if (typeof entry === 'string' || owner !== undefined) {
      const why = typeof entry === 'string' ? entry : `is the same as ${owner}`
      const message = `${place}.secretRef: the entry ${id} of ${title} ${why}, so it lets nobody in: correct or remove it`
      faults.push({ reason: 'Invalid', message, closes: false })
      return []
    }
    owners.set(entry.sha256, id)
    return [{ id, sha256: entry.sha256, ...(entry.claims === undefined ? {} : { claims: entry.claims }) }]
  })
  if (apiKeys.length === 0) {
    const none = refused('Invalid', `.secretRef names ${title}, in which no key can be used: add one`)
    return { ...none, faults: [...none.faults, ...faults], wanted }
  }
  const { identity, faults: more } = identityOf({ apiKeys }, valueAt(written, 'mode'), () => `${place}.secretRef`)
  return { identity, faults: [...more, ...faults], wanted }
}

/** A text that a caller can send in a header. */
const sendable = /^[\x21-\x7e]+$/

/** Reads an entry of a Secret; or says why it can't be used, as the end of a sentence that quotes nothing of it. */
function entryOf(text: string): Entry | string {
  if (text.trim() === '') return 'is empty'
  if (!text.trim().startsWith('{'))
    return sendable.test(text) ? { sha256: digestOf(text), claims: undefined } : 'has blanks, line breaks or other than ASCII characters'
  const value = parsed(text)
  if (!isRaw(value)) return 'is not JSON'
  const [unknown] = unknownMembers(value, ['key', 'keyHash', 'metadata'])
  if (unknown !== undefined) return 'has members beside key, keyHash and metadata'
  const claims = valueAt(value, 'metadata')
  if (claims !== undefined && !isRaw(claims)) return 'has metadata that is no object'
  if (isRaw(claims) && ['id', 'key'].some((name) => Object.hasOwn(claims, name)))
    return 'has metadata called id or key, which mean the key itself'
  const key = textAt(value, 'key')
  const hash = textAt(value, 'keyHash')
  if ((key === undefined) === (hash === undefined)) return 'does not have exactly one of key and keyHash'
  if (key !== undefined)
    return sendable.test(key) ? { sha256: digestOf(key), claims } : 'has a key with blanks or other than ASCII characters'
  const [, digest] = /^sha256:([0-9a-fA-F]{64})$/.exec(hash ?? '') ?? []
  return digest === undefined ? 'has a keyHash that is not sha256: and 64 hexadecimal digits' : { sha256: digest.toLowerCase(), claims }
}

function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
