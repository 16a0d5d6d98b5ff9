import { type ListKind, listKinds, lists } from '../mcp/mcp.ts'
import { createAnswerLists } from './answer-lists.ts'
import { isSeen, mergedOffers, type Reach } from './merged-offers.ts'
import type { Catalog, CatalogSettings, Sight } from './model.ts'
import type { ShownLists } from './shown-lists.ts'

const maxInstructionChars = 16_384

/** The parts of a view: the tables, which all callers share, and what its own caller sees of them. */
export interface ViewParts extends Pick<Catalog, 'owner' | 'unselected' | 'exposedUri' | 'seenBy'> {
  readonly settings: CatalogSettings
  readonly reach: Reach
  /** What the caller sees; undefined: everything that the view selects. */
  readonly sight: Sight | undefined
  readonly current: (kind: ListKind) => ShownLists
}

/** The catalogue as one caller sees it. */
export function createView({ settings, reach, sight, current, owner, unselected, exposedUri, seenBy }: ViewParts): Catalog {
  const { servers } = settings
  const shown = (kind: ListKind) => current(kind).of(sight)
  /** The servers of which the caller could see anything. Others are neither waited for nor mentioned. */
  const seen = () => (sight === undefined && settings.selection === undefined ? servers : servers.filter((one) => isSeen(one, reach)))
  const { list, settled } = createAnswerLists({ settings, reach, sight, shown, seen })

  return {
    owner,
    unselected,
    list,
    settled,
    toolCount() {
      // Makes all tables, so that conflicts are reported also for lists that nobody requests.
      for (const kind of listKinds) current(kind)
      return shown('tools').count
    },
    revision: (kind) =>
      listKinds
        .filter((one) => lists[one].capability === kind)
        .map((one) => shown(one).digest())
        .join(' '),
    toolsText: () => {
      const parts = shown('tools')
        .pages('modern')
        .pages.map(({ text }) => text.slice(text.indexOf('[') + 1, text.lastIndexOf(']')))
      return `{"tools":[${parts.filter((part) => part !== '').join(',')}]}`
    },
    offers: () => mergedOffers(servers, reach),
    instructions() {
      const own = seen()
      const texts = own.flatMap((server) => {
        const text = server.upstream.instructions()
        return text === undefined || text === '' ? [] : [own.length === 1 ? text : `[${server.name}]\n${text}`]
      })
      return texts.length === 0 ? undefined : texts.join('\n\n').slice(0, maxInstructionChars)
    },
    servers: seen,
    all: servers,
    exposedUri,
    seenBy,
  }
}
