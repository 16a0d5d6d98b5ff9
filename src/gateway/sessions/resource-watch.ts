import type { Owner } from '../../catalog/catalog.ts'
import type { Upstream, Watch } from '../../upstream/upstream.ts'
import { type Endpoint, subscribable } from '../route/route.ts'

export interface ResourceWatchOptions {
  /** The client's endpoint as it is now; undefined where it no longer exists. */
  readonly endpointOf: () => Endpoint | undefined
  /** The resource's URI as the client knows it. */
  readonly uri: string
  /** Called with the URI of what was updated, as the client knows it. */
  readonly onUpdate: (uri: string) => void
  readonly onStop: () => void
}

/** A subscription that follows its resource from one server to another. */
export interface LastingWatch extends Watch {
  /** The server that it is subscribed at; undefined where no server has the resource. */
  readonly upstream: Upstream | undefined
  /** Where the resource has another owner by now, subscribes there and calls `onUpdate`, since updates may have been lost. */
  renew(): void
}

/** A client's subscription to one resource. When a reload gives the resource another owner, `renew` subscribes there. */
export class ResourceWatch implements LastingWatch {
  readonly #options: ResourceWatchOptions
  #upstream: Upstream | undefined
  #watch: Watch | undefined

  constructor(options: ResourceWatchOptions) {
    this.#options = options
    this.#start()
  }

  get upstream(): Upstream | undefined {
    return this.#upstream
  }

  get isGranted(): Promise<boolean> {
    return this.#watch?.isGranted ?? Promise.resolve(false)
  }

  renew(): void {
    const { endpointOf, uri, onUpdate } = this.#options
    if (ownerFor(endpointOf(), uri)?.upstream === this.#upstream) return
    this.#watch?.stop()
    this.#start()
    if (this.#watch !== undefined) onUpdate(uri)
  }

  stop(): void {
    this.#watch?.stop()
    this.#options.onStop()
  }

  #start(): void {
    const { endpointOf, uri, onUpdate } = this.#options
    const owner = ownerFor(endpointOf(), uri)
    this.#upstream = owner?.upstream
    this.#watch = owner?.upstream.watch(owner.addressed.name, (own) => {
      const to = endpointOf()
      if (to !== undefined) onUpdate(visibleUri(to, owner.server, own) ?? uri)
    })
  }
}

function ownerFor(to: Endpoint | undefined, uri: string): Owner | undefined {
  return to === undefined ? undefined : subscribable(to, uri)
}

/** The URI by which the client knows a server's resource; undefined where the client may not hear of it. */
export function visibleUri(to: Endpoint, server: string, own: string): string | undefined {
  const exposed = to.catalog.exposedUri(server, own)
  return subscribable(to, exposed)?.server === server ? exposed : undefined
}
