import type { Subject } from './subject.ts'

/**
 * A tool, prompt or resource of one server, in the form that authorization rules are asked about. An entry of a server's list gives the
 * same object for as long as its text stays the same.
 */
export interface Item {
  readonly kind: Subject['kind']
  readonly backend: string
  /** The server's key in the configuration. */
  readonly server: string
  /** The server's own name of a tool or prompt; its own URI or URI template of a resource. */
  readonly name: string
  /** A tool's `annotations`, as `readJson` returns them. */
  readonly annotations: ReadonlyMap<string, unknown>
  /**
   * Only for a resource that is in no list: other spellings of its URI that its server may treat as the same. No `deny` may hold for any of
   * them, and every `require` must hold for all of them.
   */
  readonly spellings?: readonly string[]
}
