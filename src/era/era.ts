export * from './classify.ts'
export * from './client-era.ts'
export { legacyClient } from './legacy/client.ts'
export {
  createLegacyServer,
  headersFor,
  initializeRequest,
  legacyNotification,
  readInitialize,
  replyToServer,
} from './legacy/server.ts'
export * from './legacy/session.ts'
export { createModernClient, type ListenFilter, listenFilter, listenMessages } from './modern/client.ts'
export { checkParamHeaders, type ParamHeader, readParamHeaders } from './modern/param-headers.ts'
export { createModernServer, discoverRequest, judgeDiscover, listenRequest, type Verdict } from './modern/server.ts'
export * from './seal.ts'
export * from './server-era.ts'
export { assumedLegacy, type Implementation, isModernVersion } from './versions.ts'
