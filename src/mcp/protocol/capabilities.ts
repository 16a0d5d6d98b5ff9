import type { Member } from '../json/json.ts'
import { elements, member, members, stringOf } from '../json/json.ts'
import type { EraName } from './era-name.ts'

/**
 * A client's capabilities, as a set of the flags below. Servers hear of these alone. As there are few different sets, clients with the same
 * one can share sessions with a server.
 */
export type Capabilities = number

export const capability = {
  sampling: 1,
  samplingTools: 2,
  samplingContext: 4,
  elicitationForm: 8,
  elicitationUrl: 16,
  roots: 32,
  /** Sends a notification when its roots change; only revisions with a handshake have it. */
  rootsChange: 64,
  /** MCP Apps: shows `ui://` resources. */
  apps: 128,
} as const

export const noCapabilities: Capabilities = 0
export const allCapabilities: Capabilities = Object.values(capability).reduce((all, flag) => all | flag, 0)

export const appsExtension = 'io.modelcontextprotocol/ui'
const appsType = 'text/html;profile=mcp-app'
const appsDeclared = JSON.stringify({ mimeTypes: [appsType] })

export function can(capabilities: Capabilities, flag: number): boolean {
  return (capabilities & flag) === flag
}

/** Reads a `ClientCapabilities` object, of either era: an empty `elicitation` means forms (2025-11-25, elicitation, Capabilities). */
export function readCapabilities(text: string, value: { readonly start: number; readonly end: number }): Capabilities {
  const list = members(text, value.start, value.end)
  const within = (key: string) => objectIn(text, list, key)
  const sampling = within('sampling')
  const elicitation = within('elicitation')
  const roots = within('roots')
  const url = elicitation !== undefined && isObject(elicitation, 'url')
  const form = elicitation !== undefined && (!url || isObject(elicitation, 'form'))
  return (
    (sampling === undefined ? 0 : capability.sampling) |
    (sampling !== undefined && isObject(sampling, 'tools') ? capability.samplingTools : 0) |
    (sampling !== undefined && isObject(sampling, 'context') ? capability.samplingContext : 0) |
    (form ? capability.elicitationForm : 0) |
    (url ? capability.elicitationUrl : 0) |
    (roots === undefined ? 0 : capability.roots) |
    (roots !== undefined && member(roots, 'listChanged')?.type === 'true' ? capability.rootsChange : 0) |
    (showsApps(text, within('extensions') ?? []) ? capability.apps : 0)
  )
}

/** The `ClientCapabilities` object that declares them to a server of an era. */
export function declared(capabilities: Capabilities, era: EraName): string {
  const has = (flag: number) => can(capabilities, flag)
  const parts: string[] = []
  if (has(capability.sampling)) {
    const inner = [...(has(capability.samplingTools) ? ['"tools":{}'] : []), ...(has(capability.samplingContext) ? ['"context":{}'] : [])]
    parts.push(`"sampling":{${inner.join(',')}}`)
  }
  if (has(capability.elicitationForm) || has(capability.elicitationUrl)) {
    // With forms alone an empty `elicitation`, which every revision that has elicitation understands.
    const form = has(capability.elicitationForm) ? ['"form":{}'] : []
    parts.push(has(capability.elicitationUrl) ? `"elicitation":{${[...form, '"url":{}'].join(',')}}` : '"elicitation":{}')
  }
  if (has(capability.roots)) parts.push(era === 'legacy' && has(capability.rootsChange) ? '"roots":{"listChanged":true}' : '"roots":{}')
  if (has(capability.apps)) parts.push(`"extensions":{"${appsExtension}":${appsDeclared}}`)
  return `{${parts.join(',')}}`
}

/** Whether the client shows this type, which is the only one that servers are told of. */
function showsApps(text: string, extensions: readonly Member[]): boolean {
  const types = member(objectIn(text, extensions, appsExtension) ?? [], 'mimeTypes')
  return types?.type === 'array' && elements(text, types.start, types.end).some((one) => stringOf(text, one) === appsType)
}

function objectIn(text: string, list: readonly Member[], key: string): readonly Member[] | undefined {
  const found = member(list, key)
  return found?.type === 'object' ? members(text, found.start, found.end) : undefined
}

function isObject(list: readonly Member[], key: string): boolean {
  return member(list, key)?.type === 'object'
}
