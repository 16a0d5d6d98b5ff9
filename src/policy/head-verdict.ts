import type { Head, Refusal } from '../mcp/mcp.ts'

/** What a policy says of a request's head: a refusal, or headers that go with the reply. */
export type HeadVerdict = Refusal | { readonly kind: 'pass'; readonly headers: Readonly<Record<string, string>> }

/** One rule of the house. Hooks run from flat arrays in the order of `order.ts`; a hook that is missing costs nothing. */
export interface Policy {
  readonly name: string
  /** Before the body is read. */
  onHead?(head: Head): HeadVerdict
}
