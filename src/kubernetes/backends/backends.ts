export { documentWithoutEndpoints, endpointsSize, withoutEndpoints } from './backend-endpoints.ts'
export type { BackendView } from './backend-view.ts'
export { serversServed } from './read-backend.ts'
export { type Backends, readBackends } from './read-backends.ts'
