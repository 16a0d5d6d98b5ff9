import { gunzipSync } from 'node:zlib'
import { parsePlain } from '../document/document.ts'
import { writtenBy } from '../keys/keys.ts'
import type { Config } from '../model/model.ts'
import type { Problem } from '../problems/problems.ts'
import { isPlain } from '../tree/tree.ts'
import { escapeReferences } from '../values/values.ts'
import { digestOfDocument } from './document-digest.ts'

/** The members of a Gateway's Secret that its pods read: base64 by name. */
export type SecretData = Readonly<Partial<Record<(typeof secretParts)[number], string>>>

/** `config.json.gz` is in the place of a large `config.json`. */
const secretParts = ['config.json', 'config.json.gz', 'sessions.keys', 'admin.token'] as const

export interface PodDocument {
  /** `digestOfDocument` of `config.json`, unpacked. */
  readonly digest: string
  /** The version of mcplex that wrote it; empty where it doesn't say. */
  readonly version: string
  /** The document with the pod's own listeners and keys added; undefined exactly where a problem is an error. */
  readonly config: Config | undefined
  readonly problems: readonly Problem[]
}

/** The listeners that each pod opens besides those of its document, as `host:port`. */
export interface PodListeners {
  readonly admin: string
  readonly health: string
}

const podListeners: PodListeners = { admin: '0.0.0.0:15000', health: '0.0.0.0:15021' }
/** The same bound as for a document in a file. */
const maxBytes = 2 * 1024 * 1024

/** Documents of pods have no references to anything outside: the Secret holds all they need. */
export const podSource = {
  env: {},
  readFile: () => {
    throw new Error('a document from Kubernetes refers to no file')
  },
}

/** Reads the data of a Gateway's Secret and reports everything that is wrong with it. No problem holds a key or a token. Never throws. */
export function readPodDocument(data: SecretData, listeners = podListeners): PodDocument {
  const text = textOf(data)
  if (typeof text !== 'string') return { digest: '', version: '', config: undefined, problems: [text] }
  const digest = digestOfDocument(text)
  const document = jsonOf(text)
  const written = isPlain(document) ? document[writtenBy] : undefined
  const version = typeof written === 'string' ? written : ''
  const refuse = (...problems: readonly Problem[]): PodDocument => ({ digest, version, config: undefined, problems })
  if (document === undefined) return refuse(error('yaml-syntax', '', '`config.json` is no JSON'))
  const keys = data['sessions.keys'] === undefined ? undefined : jsonOf(decode(data['sessions.keys']), escaped)
  if (keys === undefined || (Array.isArray(keys) && keys.length === 0)) return refuse(missingPart('sessions.keys', 'keys'))
  const token = data['admin.token'] === undefined ? '' : escapeReferences(decode(data['admin.token']))
  if (token === '') return refuse(missingPart('admin.token', 'token'))
  const own = { admin: { listen: listeners.admin, token }, health: { listen: listeners.health } }
  try {
    const whole = isPlain(document) ? { ...document, ...own, sessions: withKeys(document['sessions'], keys) } : document
    const { config, problems } = parsePlain(whole, { ...podSource, origin: 'kubernetes' })
    return { digest, version, config, problems }
  } catch (thrown) {
    // Deep nesting has overflowed the stack.
    if (thrown instanceof RangeError) return refuse(error('too-large', '', 'the document is nested too deeply'))
    throw thrown
  }
}

/** The members of a Secret's data, or of its copy, that pods read. */
export function secretDataOf(data: unknown): SecretData {
  if (!isPlain(data)) return {}
  const members = secretParts.flatMap((name) => {
    const value = Object.hasOwn(data, name) ? data[name] : undefined
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  return Object.fromEntries(members)
}

/** Adds the keys to `sessions`; a value that is no map is left for the schema to refuse. */
function withKeys(sessions: unknown, keys: unknown): unknown {
  return sessions === undefined || isPlain(sessions) ? { ...sessions, keys } : sessions
}

function textOf(data: SecretData): string | Problem {
  const packed = data['config.json.gz']
  if (data['config.json'] !== undefined) return decode(data['config.json'])
  if (packed === undefined) return error('unreadable-file', '', 'there is neither `config.json` nor `config.json.gz`')
  try {
    return gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: maxBytes }).toString('utf8')
  } catch (thrown) {
    const isTooLarge = thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE'
    return isTooLarge
      ? error('too-large', '', '`config.json.gz` unpacks to more than 2 MiB')
      : error('unreadable-file', '', '`config.json.gz` is no gzip')
  }
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}

/** Parses JSON; undefined where it is none, without the parser's message, which quotes the text. */
function jsonOf(text: string, reviver?: (name: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(text, reviver)
  } catch {
    return undefined
  }
}

function escaped(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? escapeReferences(value) : value
}

function missingPart(name: string, what: string): Problem {
  return error('missing-key', '', `the Secret has no ${what} in \`${name}\``, 'delete that member: the controller makes it anew')
}

function error(code: Problem['code'], path: string, text: string, hint?: string): Problem {
  return { code, path, text, ...(hint === undefined ? {} : { hint }), severity: 'error' }
}
