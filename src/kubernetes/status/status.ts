export { acceptanceOf, statusOfGateway } from './gateway-status.ts'
export { createObservedServers } from './observed-servers.ts'
export { type ParentGateway, routeFaults, statusOfRoute } from './route-status.ts'
export { type Served, servingOf } from './serving.ts'
