export * from './classify.ts'
export * from './client-era.ts'
export { type Asked, askOf, isAskMethod, requiredFor } from './legacy/ask-of.ts'
export { encodeInitialize, encodeLegacy, legacyClient, unknownVersion } from './legacy/client.ts'
export { askFor, inputRequestOf } from './legacy/input-request.ts'
export * from './legacy/sealed-sessions.ts'
export {
  createLegacyServer,
  headersFor,
  initializeRequest,
  legacyNotification,
  legacyRequest,
  progressIdOf,
  readInitialize,
  replyToServer,
} from './legacy/server.ts'
export { resendState } from './legacy/url-required.ts'
export { createModernClient, discoverResult } from './modern/client.ts'
export * from './modern/listen.ts'
export { checkParamHeaders, type ParamHeader, readParamHeaders } from './modern/param-headers.ts'
export {
  createModernServer,
  discoverRequest,
  judgeDiscover,
  type ListenFor,
  listenRequest,
  readAcknowledged,
  updatedUri,
  type Verdict,
} from './modern/server.ts'
export * from './seal.ts'
export * from './server-era.ts'
export { assumedLegacy, type Implementation, isModernVersion } from './versions.ts'
