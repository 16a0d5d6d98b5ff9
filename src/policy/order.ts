/**
 * The order in which policies are asked, in two parts. Between the two `authenticate` finds out who the caller is. It is not a policy like
 * the others, since those after it ask about the caller that it returns.
 */

/** The policies that a listener asks about every request, before its route and its caller are known. */
export const listenerOrder = [
  // First, so that a foreign web page learns nothing: neither which routes there are nor how to log in.
  'origin',
] as const

/** The policies that are asked about a known caller, on the way to the backend or agent of a route's rule. */
export const wayOrder = [
  // A caller who may not use an agent is refused before anything else about the agent is decided.
  'access',
  // Rules see a server's items and a call's arguments, so what is cheaper or broader is asked before them.
  'authorize',
] as const

export type ListenerPolicyName = (typeof listenerOrder)[number]
export type WayPolicyName = (typeof wayOrder)[number]
