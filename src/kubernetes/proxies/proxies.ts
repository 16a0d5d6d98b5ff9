export { type AskProxy, proxyAsker } from './ask-proxy.ts'
export { askedGateways, peersOf, slimToToken } from './asked-gateways.ts'
export { createProxyPoller, type PollMetrics } from './proxy-poller.ts'
