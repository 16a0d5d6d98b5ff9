/**
 * The order in which policies are asked, in two parts. Between them `authenticate` says who calls: it is no policy like the others, since all
 * that come after it ask about the caller whom it has made.
 */

/** What a listener asks of every request, before its route and its caller are known. */
export const listenerOrder = [
  // A web page that has no business here is to learn nothing: neither which routes there are nor how to log in.
  'origin',
] as const

/** What is asked on the way from a listener to what a route's rule leads to, of a known caller. */
export const wayOrder = [
  // Whoever may not use an agent is told so before anything of the agent is looked at.
  'access',
  // Rules see what a server has and what a call says: all that is cheaper or broader has been asked by then.
  'authorize',
] as const

export type ListenerPolicyName = (typeof listenerOrder)[number]
export type WayPolicyName = (typeof wayOrder)[number]
