import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { TestContext } from 'node:test'
import { atEnd } from './at-end.ts'
import { freePort } from './ports.ts'

/** A URL that takes records, or doesn't. */
export interface RecordSink {
  readonly origin: string
  /** What was sent, in order; what was refused is in it too. */
  readonly taken: readonly { readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: string }[]
}

/** Starts one that answers with this status, and sends all headers of the request back. */
export async function startRecordSink(t: TestContext, status: number): Promise<RecordSink> {
  const taken: { url: string; headers: IncomingHttpHeaders; body: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part
    })
    request.once('end', () => {
      taken.push({ url: request.url ?? '', headers: request.headers, body })
      response.writeHead(status, { 'content-type': 'text/plain' }).end(JSON.stringify(request.headers))
    })
  })
  const port = await freePort()
  server.listen(port, '127.0.0.1')
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${port}`, taken }
}
