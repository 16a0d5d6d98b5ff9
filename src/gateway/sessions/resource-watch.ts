import type { Owner } from '../../catalog/catalog.ts'
import type { Upstream, Watch } from '../../upstream/upstream.ts'
import { type Endpoint, subscribable } from '../route/route.ts'

export interface ResourceWatchOptions {
  /** The client's endpoint as it is now; undefined where it is gone. */
  readonly endpointOf: () => Endpoint | undefined
  /** What the client calls the resource. */
  readonly uri: string
  /** Takes what the client calls that which has changed. */
  readonly onUpdate: (uri: string) => void
  readonly onStop: () => void
}

/** A subscription that goes with its resource. */
export interface LastingWatch extends Watch {
  /** Where it is subscribed to; undefined where nobody has the resource. */
  readonly upstream: Upstream | undefined
  /** Subscribes anew where the resource has another owner by now, and tells of it as of an update: some may have been lost. */
  renew(): void
}

/** A client's subscription to one resource; it goes with the resource to another owner when the document changes. */
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

/** What a server's own URI is called here, where the client may hear of it. */
export function visibleUri(to: Endpoint, server: string, own: string): string | undefined {
  const exposed = to.catalog.exposedUri(server, own)
  return subscribable(to, exposed)?.server === server ? exposed : undefined
}
