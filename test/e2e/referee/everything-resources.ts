import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import { image } from './everything-media.ts'

const texts = {
  'static-text': { uri: 'test://static-text', description: 'A text.' },
  'watched-resource': { uri: 'test://watched-resource', description: 'A text that can be subscribed to.' },
}

/** Registers every resource that a server scenario of the referee reads, subscription and completion. */
export function registerResources(server: McpServer): void {
  for (const [name, { uri, description }] of Object.entries(texts)) {
    server.registerResource(name, uri, { description, mimeType: 'text/plain' }, () => ({
      contents: [{ uri, mimeType: 'text/plain', text: `The text of ${name}.` }],
    }))
  }
  const { mimeType, data } = image
  server.registerResource('static-binary', 'test://static-binary', { description: 'An image.', mimeType }, () => ({
    contents: [{ uri: 'test://static-binary', mimeType, blob: data }],
  }))
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'One record of many.', mimeType: 'application/json' },
    ({ href }, { id }) => ({ contents: [{ uri: href, mimeType: 'application/json', text: JSON.stringify({ id }) }] }),
  )
  server.server.setRequestHandler('resources/subscribe', () => ({}))
  server.server.setRequestHandler('resources/unsubscribe', () => ({}))
  server.server.setRequestHandler('completion/complete', ({ params: { argument } }) => ({
    completion: { values: [`${argument.value}-first`, `${argument.value}-second`], total: 2, hasMore: false },
  }))
}
