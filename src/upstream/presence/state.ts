import type { Refusal } from '../../mcp/mcp.ts'
import type { Met, UpstreamEvents, UpstreamSettings, UpstreamStatus } from '../server/server.ts'

/** The state of a server, and the events that announce its changes. */
export interface State {
  status(): UpstreamStatus
  is(state: UpstreamStatus['state']): boolean
  /** Enters a state, and announces it where the state or its error changed. */
  enter(state: UpstreamStatus['state'], failure: Pick<Refusal, 'text' | 'remedy'> | undefined): void
  /** Takes note that a list, or what the server offers, has changed. */
  noteNews(): void
  /** Announces the changes that were noted, all in one event. While the server is still connecting they are kept back. */
  tellNews(): void
  /** Announces no further change. */
  close(): void
}

/** Bound of an error's text, which may hold what a server wrote. */
const maxErrorChars = 300

export function createState(
  settings: UpstreamSettings,
  events: UpstreamEvents,
  met: () => Met | undefined,
  count: (kind: 'tools' | 'prompts' | 'resources') => number,
): State {
  let state: UpstreamStatus['state'] = 'connecting'
  let since = Date.now()
  let lastError: string | undefined
  let remedy: string | undefined
  let isNews = false
  let isClosed = false

  function status(): UpstreamStatus {
    const known = met()
    return {
      backend: settings.backend,
      name: settings.name,
      state,
      era: known?.era.name,
      version: known?.facts.version,
      serverName: known?.facts.serverName,
      tools: count('tools'),
      prompts: count('prompts'),
      resources: count('resources'),
      lastError,
      remedy,
      since,
    }
  }

  function tellNews(): void {
    if (!isNews || state === 'connecting') return
    isNews = false
    events.listChanged(status())
  }

  return {
    status,
    is: (one) => state === one,
    enter(next, failure) {
      if (isClosed) return
      const before = state
      const shown = failure?.text.slice(0, maxErrorChars)
      const isOther = before !== next || lastError !== shown
      if (before !== next) since = Date.now()
      state = next
      lastError = shown
      remedy = failure?.remedy?.slice(0, maxErrorChars)
      if (isOther) events.stateChanged(status(), before)
      tellNews()
    },
    noteNews() {
      isNews = true
    },
    tellNews,
    close() {
      isClosed = true
    },
  }
}
