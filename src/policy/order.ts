/** The order in which policies judge a request; each name is a folder here. */
export const order = ['origin'] as const
