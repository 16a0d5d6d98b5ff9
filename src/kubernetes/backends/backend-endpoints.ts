import { type Size, sizeInside } from '../fragments/fragments.ts'
import { isRaw, listAt, type Raw, rawAt } from '../objects/objects.ts'
import type { BackendView } from './backend-view.ts'

/** The room that the addresses of pods behind a backend's servers take in a document; undefined where there are none. */
export function endpointsSize({ fragment }: BackendView): Size | undefined {
  const lists = serversOf(fragment).flatMap(([, server]) => {
    const endpoints = listAt(server, 'http', 'endpoints')
    return endpoints.length === 0 ? [] : [sizeInside({ endpoints })]
  })
  if (lists.length === 0) return undefined
  return { bytes: lists.reduce((sum, { bytes }) => sum + bytes, 0), parts: lists.reduce((sum, { parts }) => sum + parts, 0) }
}

/** The backend without the addresses of pods: its servers have only their hosts. */
export function withoutEndpoints<View extends Pick<BackendView, 'fragment'>>(view: View): View {
  const servers = serversOf(view.fragment).map(([name, server]) => {
    const { endpoints, ...http } = rawAt(server, 'http')
    return [name, isRaw(server) && endpoints !== undefined ? { ...server, http } : server]
  })
  return view.fragment === undefined ? view : { ...view, fragment: { ...view.fragment, servers: Object.fromEntries(servers) } }
}

/** The document without the addresses of pods, for where nobody updates it: pods move, and their addresses are given to others. */
export function documentWithoutEndpoints(document: Raw): Raw {
  const backends = Object.entries(rawAt(document, 'backends')).map(([name, fragment]) => [
    name,
    isRaw(fragment) ? withoutEndpoints({ fragment }).fragment : fragment,
  ])
  return { ...document, backends: Object.fromEntries(backends) }
}

function serversOf(fragment: Raw | undefined): readonly (readonly [name: string, server: unknown])[] {
  return Object.entries(rawAt(fragment, 'servers'))
}
