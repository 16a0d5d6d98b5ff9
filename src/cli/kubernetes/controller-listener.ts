import { createServer, type Server } from 'node:http'
import type { Controller, ControllerMetrics } from '../../kubernetes/kubernetes.ts'

export type ControllerListener =
  | { readonly kind: 'open'; readonly port: number; close(): void }
  | { readonly kind: 'failed'; readonly text: string }

/** Opens the listener for kubelets and Prometheus: `/healthz`, `/readyz` and `/metrics`. */
export function openControllerListener(
  { host, port }: { readonly host: string; readonly port: number },
  controller: Pick<Controller, 'readiness'>,
  metrics: Pick<ControllerMetrics, 'text' | 'contentType'>,
): Promise<ControllerListener> {
  const server: Server = createServer({ maxHeaderSize: 8192, requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
    const send = (status: number, text: string, type = 'application/json') => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }).end(text)
    }
    const json = (status: number, body: unknown) => send(status, `${JSON.stringify(body, undefined, 2)}\n`)
    const path = (request.url ?? '').split('?', 1)[0]
    if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { error: 'GET only' })
    if (path === '/healthz') return json(200, { status: 'ok' })
    if (path === '/readyz') {
      const { isReady, reasons } = controller.readiness()
      return json(isReady ? 200 : 503, { status: isReady ? 'ok' : 'unready', reasons })
    }
    if (path !== '/metrics') return json(404, { error: 'not found', paths: ['/healthz', '/readyz', '/metrics'] })
    metrics.text().then(
      (text) => send(200, text, metrics.contentType),
      () => json(500, { error: 'metrics failed' }),
    )
  })
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ kind: 'failed', text: `--listen ${host}:${port} can't be opened: ${error.code ?? error.message}` })
    })
    server.listen(port, host, () => {
      const address = server.address()
      resolve({
        kind: 'open',
        port: typeof address === 'object' && address !== null ? address.port : port,
        close() {
          server.close()
          server.closeAllConnections()
        },
      })
    })
  })
}
