import { createServer } from 'node:net'

/** The first free port of 127.0.0.1, from `first` on, of 100; undefined where there is none. */
export async function freePort(first: number): Promise<number | undefined> {
  for (let port = first; port < first + 100; port++) if (await isFree(port)) return port
  return undefined
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
