import { elements, type Member, member, members, rebuildObject, splice, stringOf, textOf } from '../../mcp/mcp.ts'
import { knows } from '../versions.ts'

/**
 * A result's text for a client of a legacy revision: what a later revision introduced becomes text blocks, or is left out.
 * Returns the same text where nothing is too new. @param version undefined means the newest revision with a handshake
 */
export function resultFor(text: string, method: string, version: string | undefined): string {
  switch (method) {
    case 'tools/call':
      return toolResult(text, version)
    case 'prompts/get':
      return mayHoldNew(text, version) ? promptResult(text, version) : text
    case 'resources/read':
      return withoutHints(text)
    default:
      return text
  }
}

/**
 * Removes `structuredContent` that the revision does not know: it exists since 2025-06-18, and is an object before 2026-07-28
 * (2025-11-25, schema, CallToolResult).
 */
function toolResult(text: string, version: string | undefined): string {
  const hasNew = mayHoldNew(text, version)
  if (!hasNew && !text.includes('"structuredContent"')) return text
  const list = members(text, 0, text.length)
  const found = member(list, 'structuredContent')
  const structured = found?.type === 'object' && knows(version, 'structuredResults') ? undefined : found
  if (!hasNew && structured === undefined) return text
  const content = member(list, 'content')
  const blocks = content?.type === 'array' ? elements(text, content.start, content.end) : []
  const shown = blocks.map((block) => (hasNew && block.type === 'object' ? contentBlock(text, block, version) : textOf(text, block)))
  if (shown.length === 0 && structured !== undefined) shown.push(textBlock(textOf(text, structured)))
  return rebuildObject(text, list, (m) => m !== structured && m !== content, [`"content":[${shown.join(',')}]`])
}

function promptResult(text: string, version: string | undefined): string {
  const messages = member(members(text, 0, text.length), 'messages')
  if (messages?.type !== 'array') return text
  const edits = elements(text, messages.start, messages.end).flatMap((message) => {
    const content = message.type === 'object' ? member(members(text, message.start, message.end), 'content') : undefined
    if (content?.type !== 'object') return []
    return [{ start: content.start, end: content.end, text: contentBlock(text, content, version) }]
  })
  return splice(text, edits)
}

/** Removes the hints for caching, which exist since 2026-07-28. */
function withoutHints(text: string): string {
  if (!text.includes('"ttlMs"') && !text.includes('"cacheScope"')) return text
  return rebuildObject(text, members(text, 0, text.length), ({ key }) => key !== 'ttlMs' && key !== 'cacheScope')
}

function mayHoldNew(text: string, version: string | undefined): boolean {
  return (!knows(version, 'resourceLinks') && text.includes('"resource_link"')) || (!knows(version, 'audio') && text.includes('"audio"'))
}

function contentBlock(text: string, block: Pick<Member, 'start' | 'end'>, version: string | undefined): string {
  const list = members(text, block.start, block.end)
  const word = (key: string) => {
    const found = member(list, key)
    return found === undefined ? undefined : stringOf(text, found)
  }
  const type = word('type')
  if (type === 'resource_link' && !knows(version, 'resourceLinks')) return textBlock(`${word('name') ?? 'resource'}: ${word('uri') ?? ''}`)
  if (type === 'audio' && !knows(version, 'audio'))
    return textBlock(`[${word('mimeType') ?? 'audio'}: this client's protocol revision has no audio]`)
  return text.slice(block.start, block.end)
}

function textBlock(characters: string): string {
  return `{"type":"text","text":${JSON.stringify(characters)}}`
}
