import type { Subject } from './subject.ts'

/** One tool, prompt or resource of one server, as rules are asked about it. One entry of a list is one object as long as its text is the same. */
export interface Item {
  readonly kind: Subject['kind']
  readonly backend: string
  /** Its key in the document. */
  readonly server: string
  /** The server's own name of a tool or prompt; its own URI or URI template of a resource. */
  readonly name: string
  /** Of a tool: what its server says of it, as `readJson` gives it. */
  readonly annotations: ReadonlyMap<string, unknown>
  /** Of a resource that stands in no list: other URIs that its server may take its own for. No deny may hold of any, and every require has to. */
  readonly spellings?: readonly string[]
}
