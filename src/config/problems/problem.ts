/** Every code that a problem can have, whether it refuses the document, and what it means. Codes never change (docs/problems.md). */
export const problemCodes = {
  'yaml-syntax': { severity: 'error', text: 'The text is neither YAML 1.2 nor JSON.' },
  'duplicate-key': { severity: 'error', text: 'A map holds the same key twice.' },
  'unknown-key': { severity: 'error', text: 'There is no such key here; the hint names the nearest one.' },
  'missing-key': { severity: 'error', text: 'A key that must be there is not.' },
  'wrong-type': { severity: 'error', text: 'The value is of another type than the key takes, such as a list where a text belongs.' },
  'bad-value': { severity: 'error', text: 'The type is right, but the value is not one that the key takes.' },
  'bad-name': {
    severity: 'error',
    text: 'A name holds something other than lower-case letters, digits and inner hyphens, or is over 63 characters.',
  },
  'unset-variable': { severity: 'error', text: 'A `${VAR}` names an environment variable that is not set and gives no `:-default`.' },
  'unreadable-file': { severity: 'error', text: 'A `${file:PATH}`, or the document itself, could not be read.' },
  'unwritable-file': {
    severity: 'error',
    text: 'A file that is to be written, such as one of audit records, could not be opened. Found at run time.',
  },
  'unknown-reference': { severity: 'error', text: 'A listener, backend or agent is named that the document does not define.' },
  'duplicate-name': { severity: 'error', text: 'Two things that need different names (or sockets) have the same.' },
  'conflicting-keys': { severity: 'error', text: 'Two keys that say the same thing, or exclude each other, are both there.' },
  'needs-key': { severity: 'error', text: 'A key has no effect without another one that is missing.' },
  'unsafe-listener': {
    severity: 'error',
    text: 'A listener that other machines can reach has no authentication and does not say `insecure: true`.',
  },
  'unsafe-url': { severity: 'error', text: 'A URL leads to a link-local address or to the metadata service of a cloud.' },
  'cel-syntax': { severity: 'error', text: 'A rule is not a CEL expression.' },
  'cel-unknown-variable': { severity: 'error', text: 'A rule names a variable or function that does not exist where it stands.' },
  'cel-type': { severity: 'error', text: 'A rule does not yield true or false.' },
  'too-large': { severity: 'error', text: 'The document is larger, deeper or expands further (by aliases) than is allowed.' },
  'not-supported': { severity: 'error', text: 'The key is known, but this version does not do what it asks for.' },
  'plain-secret': { severity: 'warning', text: 'A secret stands in the document itself instead of a reference to a variable or file.' },
  'plain-http': { severity: 'warning', text: 'Keys of an identity provider come over plain HTTP from another machine.' },
  'selects-nothing': { severity: 'warning', text: 'A pattern of an agent matches nothing on a server that answers. Found at run time.' },
  'shadowed-route': { severity: 'warning', text: 'A match is the same as an earlier one and will never be reached.' },
  'names-fold': { severity: 'warning', text: 'A name under `mcpServers` was changed to one that is allowed.' },
  'port-in-use': { severity: 'error', text: 'A listener could not be opened because its port is taken. Found at run time.' },
  unreachable: { severity: 'warning', text: 'A server does not answer. Found at run time.' },
} as const satisfies Record<string, { severity: 'error' | 'warning'; text: string }>

export type ProblemCode = keyof typeof problemCodes

/** A fault of a document, at the place where its author wrote it. Neither `text` nor `hint` ever holds a secret's value. */
export interface Problem {
  readonly code: ProblemCode
  /** Its path in the document, such as `listeners[0].port`; empty for the document itself. */
  readonly path: string
  /** Counted from 1, like `column`; absent where the problem has no place in the text. */
  readonly line?: number
  readonly column?: number
  readonly text: string
  /** What to do about it. */
  readonly hint?: string
  readonly severity: 'error' | 'warning'
}
