import { dirname, resolve } from 'node:path'
import type { Secret } from '../model/model.ts'

/** The environment and files that references are resolved from. `readFile` throws where a path can't be read. */
export interface ReferenceSource {
  /** The document's own path, to whose folder `${file:}` paths are relative. */
  readonly file?: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => string
}

export interface ReferenceFault {
  readonly code: 'unset-variable' | 'unreadable-file' | 'bad-value'
  readonly text: string
  readonly hint: string
}

export type Resolved = { readonly kind: 'value'; readonly value: string } | ({ readonly kind: 'fault' } & ReferenceFault)

const reference = /\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\{file:([^}]+)\}|(\{))/g

/**
 * Replaces references by their values: `${VAR}`, `${VAR:-text}` (`text` where VAR is unset or empty), and `${file:PATH}` (without a line
 * break at its end). `$$` becomes a dollar, and any other dollar stays. Values are not searched for references again.
 * @param onFile called with each path that was read or tried
 */
export function resolveReferences(text: string, from: ReferenceSource, onFile: (path: string) => void = () => {}): Resolved {
  let fault: ReferenceFault | undefined
  const value = text.replace(reference, (whole: string, name?: string, fallback?: string, file?: string, open?: string) => {
    if (whole === '$$') return '$'
    if (open !== undefined) {
      fault ??= {
        code: 'bad-value',
        text: 'holds a `${` that begins no reference',
        hint: 'write ${VAR}, ${VAR:-text} or ${file:PATH}; a dollar itself is $$',
      }
      return ''
    }
    if (file !== undefined) {
      const path = referencedPath(file, from.file)
      onFile(path)
      try {
        return from.readFile(path).replace(/\r?\n$/, '')
      } catch (error) {
        fault ??= {
          code: 'unreadable-file',
          text: `names the file ${path}, which can't be read (${reasonOf(error)})`,
          hint: 'create it, or correct the path',
        }
        return ''
      }
    }
    const found = name === undefined || !Object.hasOwn(from.env, name) ? undefined : from.env[name]
    if (found === undefined && fallback === undefined) {
      fault ??= {
        code: 'unset-variable',
        text: `names the variable ${name}, which is not set`,
        hint: `set ${name}, or write \${${name}:-text} to have a default`,
      }
    }
    return (fallback === undefined ? found : found || fallback) ?? ''
  })
  return fault === undefined ? { kind: 'value', value } : { kind: 'fault', ...fault }
}

/** The value of a secret in a Config. Where it no longer resolves, throws an Error that names the variable or file and no value. */
export function resolveSecret(secret: Secret, from: ReferenceSource): string {
  const resolved = resolveReferences(secret, from)
  if (resolved.kind === 'fault') throw new Error(`${resolved.code}: the secret ${resolved.text}`)
  return resolved.value
}

/** Escapes a text so that it has no references, by doubling every dollar. For authors of documents whose texts come from elsewhere. */
export function escapeReferences(text: string): string {
  return text.replaceAll('$', '$$$$')
}

/** Whether a secret is written in the text itself: it has no reference, or one with a default. */
export function isLiteral(text: Secret): boolean {
  const references = [...text.matchAll(reference)].filter(([whole]) => whole !== '$$')
  return text !== '' && (references.length === 0 || references.some(([, , fallback]) => fallback !== undefined && fallback !== ''))
}

function referencedPath(path: string, document: string | undefined): string {
  return document === undefined ? path : resolve(dirname(document), path)
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown reason'
}
