export { createServices, isExternal, type Lead, type OfferedPort, type Services, serviceOf, serviceRef } from './cluster-services.ts'
export { isOwnPod } from './plain-host.ts'
export { isPodAddress, readAddress } from './pod-address.ts'
