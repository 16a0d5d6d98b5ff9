/** One thing that a client does. URIs and names are those that the endpoint shows. */
export type Operation =
  | { readonly do: 'list'; readonly what: Listed }
  | { readonly do: 'call'; readonly tool: string; readonly arguments: Json }
  | { readonly do: 'read'; readonly uri: string }
  | { readonly do: 'prompt'; readonly name: string; readonly arguments: Readonly<Record<string, string>> }
  | { readonly do: 'complete'; readonly ref: Reference; readonly argument: { name: string; value: string }; readonly context?: Strings }
  /** The least level of what the server logs from now on, told in the way of the connection's era. */
  | { readonly do: 'level'; readonly level: 'debug' | 'warning' }
  /** To be told of the changes of a resource, and no longer, in the way of the connection's era. */
  | { readonly do: 'subscribe' | 'unsubscribe'; readonly uri: string }
  | Hearing

/** Waits for a notification whose parameters hold that text; it may have come before. */
export interface Hearing {
  readonly do: 'hear'
  readonly what: 'log' | 'update'
  readonly holding: string
}

/** An operation that is a request. */
export type Asking = Exclude<Operation, Hearing>

export type Listed = 'tools' | 'prompts' | 'resources' | 'resource_templates'
export type Reference = { readonly type: 'ref/prompt'; readonly name: string } | { readonly type: 'ref/resource'; readonly uri: string }
type Strings = Readonly<Record<string, string>>
export type Json = Readonly<Record<string, unknown>>

/** What came of an operation: one of result, error (JSON-RPC) and thrown (the client itself refused), and what came before. */
export interface Answer {
  readonly result?: Json
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
  readonly thrown?: string
  /** The questions that the server asked meanwhile, roots/list excepted. */
  readonly asked: readonly { readonly method: string; readonly params: Json }[]
  readonly progress: readonly Json[]
}

/** All that a client saw on one connection. */
export interface Transcript {
  readonly answers: readonly Answer[]
  /** Log messages and updates that no operation waited for. */
  readonly unheard: readonly { readonly kind: 'log' | 'update'; readonly params: Json }[]
  /** How often the server asked for the roots: some servers ask when they like. */
  readonly rootsAsked: number
}

/** What a client answers to the questions of servers. Of a form's values it gives those that the form asks for. */
export interface Replies {
  readonly sampling: Json
  readonly form: { readonly action: 'accept'; readonly content: Json }
  readonly url: Json
  readonly roots: Json
}

/** A client that declares sampling, elicitation (forms and URLs) and roots, connects once, does all operations in order and disconnects. */
export type Player = (url: string, operations: readonly Operation[], replies: Replies) => Promise<Transcript>
