import { type Person, people, redirectUrl } from './realm.ts'

/** More pages than any login has. */
const maxPages = 8

/** What somebody did in the browser. */
export interface SignedIn {
  /** Where the browser was sent at the end: the client's redirect URL with a code. */
  readonly callback: URL
  /** What Keycloak showed on the way. */
  readonly pages: readonly ('login' | 'consent')[]
}

/** Goes through Keycloak's own pages as a browser without scripts does: fills in its forms, keeps its cookies, follows its redirects. */
export async function signIn(authorizationUrl: URL, person: Person): Promise<SignedIn> {
  const cookies = new Map<string, string>()
  const pages: ('login' | 'consent')[] = []
  let url = authorizationUrl
  let form: URLSearchParams | undefined
  for (let i = 0; i < maxPages; i++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const reply = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    })
    for (const one of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(one) ?? []
      cookies.set(name, value)
    }
    const html = await reply.text()
    const location = reply.headers.get('location')
    if (location !== null) {
      url = new URL(location, url)
      form = undefined
      if (url.href.startsWith(redirectUrl)) return { callback: url, pages }
      continue
    }
    const page = html.includes('name="username"') ? 'login' : html.includes('name="accept"') ? 'consent' : undefined
    const action = /<form[^>]*\saction="([^"]+)"/.exec(html)?.[1]?.replaceAll('&amp;', '&')
    if (page === undefined || action === undefined) throw new Error(`${reply.status} from ${url}: no form to fill in\n${textOf(html)}`)
    pages.push(page)
    url = new URL(action, url)
    form =
      page === 'login'
        ? new URLSearchParams({ username: person, password: people[person].password, credentialId: '' })
        : new URLSearchParams({ ...hiddenFields(html), accept: 'Yes' })
  }
  throw new Error(`no redirect back after ${maxPages} pages: ${pages.join(', ')}`)
}

function hiddenFields(html: string): Readonly<Record<string, string>> {
  const fields = html.match(/<input[^>]*type="hidden"[^>]*>/g) ?? []
  return Object.fromEntries(fields.map((field) => [attribute(field, 'name'), attribute(field, 'value')]))
}

function attribute(element: string, name: string): string {
  return new RegExp(`\\s${name}="([^"]*)"`).exec(element)?.[1] ?? ''
}

function textOf(html: string): string {
  return html
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 1000)
}
