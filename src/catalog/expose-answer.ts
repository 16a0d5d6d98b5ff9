import { type Answer, type Edit, type Element, elements, type Member, member, members, splice, stringOf, textOf } from '../mcp/mcp.ts'
import { exposedUri } from './exposed-uri.ts'
import type { Expose } from './model.ts'

/**
 * Rewrites the URIs in the answers of a server whose URIs are prefixed to those that clients know: in contents that were read, links and
 * embedded resources. An `https:` link stays as it is, since clients fetch it themselves, unless the server lists that very URI as a
 * resource (2026-07-28, resources, Common URI Schemes).
 */
export function createExpose(server: string, isListed: (uri: string) => boolean): Expose {
  const isOwn = (uri: string) => !/^data:/i.test(uri) && (!/^https?:/i.test(uri) || isListed(uri))
  const anyUri = () => true

  const rewritten = (text: string, holders: readonly Element[], isExposed: (uri: string) => boolean): string => {
    const edits: Edit[] = []
    for (const holder of holders) {
      const place = valueIn(text, holder, 'uri')
      const uri = place === undefined ? undefined : stringOf(text, place)
      if (place === undefined || uri === undefined || !isExposed(uri)) continue
      edits.push({ start: place.start, end: place.end, text: JSON.stringify(exposedUri(server, uri)) })
    }
    return edits.length === 0 ? text : splice(text, edits)
  }

  return (answer, method, subject) => {
    if (answer.kind === 'failed') {
      return method === 'resources/read' ? readFailure(answer, server, subject.name) : answer
    }
    if (answer.kind !== 'complete') return answer
    const { result } = answer
    if (method === 'resources/read') return withResult(answer, rewritten(result, arrayIn(result, whole(result), 'contents'), anyUri))
    // The types of all blocks with URIs begin like this. Most results have none, and need no parsing.
    if (!result.includes('"resource')) return answer
    if (method === 'tools/call') {
      const blocks = arrayIn(result, whole(result), 'content')
      return withResult(answer, rewritten(result, holdersOf(result, blocks), isOwn))
    }
    if (method === 'prompts/get') {
      const blocks = arrayIn(result, whole(result), 'messages').flatMap((message) => valueIn(result, message, 'content') ?? [])
      return withResult(answer, rewritten(result, holdersOf(result, blocks), isOwn))
    }
    return answer
  }
}

/** Marks the result of a read as private to its caller (2026-07-28, caching, Cacheable Results). */
export function exposePrivately(expose: Expose): Expose {
  return (answer, method, subject) => {
    const exposed = expose(answer, method, subject)
    if (method !== 'resources/read' || exposed.kind !== 'complete') return exposed
    const { result } = exposed
    const place = result.includes('"cacheScope"') ? valueIn(result, whole(result), 'cacheScope') : undefined
    if (place === undefined) return exposed
    return withResult(exposed, splice(result, [{ start: place.start, end: place.end, text: '"private"' }]))
  }
}

type Complete = Extract<Answer, { kind: 'complete' }>
type Failed = Extract<Answer, { kind: 'failed' }>

function withResult(answer: Complete, result: string): Complete {
  return result === answer.result ? answer : { ...answer, result }
}

/** In the error for an unknown resource, sets `data.uri` to the URI that the client sent. */
function readFailure(answer: Failed, server: string, asked: string): Failed {
  const { data } = answer.error
  const place = data === undefined ? undefined : valueIn(data, whole(data), 'uri')
  const uri = data === undefined || place === undefined ? undefined : stringOf(data, place)
  if (data === undefined || place === undefined || uri === undefined || exposedUri(server, uri) !== asked) return answer
  const exposed = splice(data, [{ start: place.start, end: place.end, text: JSON.stringify(asked) }])
  return { ...answer, error: { ...answer.error, data: exposed } }
}

/** The objects in a content block that hold a URI: the block itself if it is a link, or its embedded resource. */
function holdersOf(text: string, blocks: readonly Element[]): readonly Element[] {
  return blocks.flatMap((block) => {
    const list = block.type === 'object' ? members(text, block.start, block.end) : []
    const type = member(list, 'type')
    switch (type === undefined ? undefined : textOf(text, type)) {
      case '"resource_link"':
        return [block]
      case '"resource"':
        return member(list, 'resource') ?? []
      default:
        return []
    }
  })
}

function whole(text: string): Element {
  return { start: 0, end: text.length, type: text.startsWith('{') ? 'object' : 'null' }
}

function valueIn(text: string, object: Element, key: string): Member | undefined {
  return object.type === 'object' ? member(members(text, object.start, object.end), key) : undefined
}

function arrayIn(text: string, object: Element, key: string): readonly Element[] {
  const found = valueIn(text, object, key)
  return found?.type === 'array' ? elements(text, found.start, found.end) : []
}
