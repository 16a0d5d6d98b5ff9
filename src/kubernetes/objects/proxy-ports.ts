/** The ports that a proxy listens on itself, beside those of its Gateway's listeners. */
export const ownPorts = { admin: 15_000, peers: 15_001, health: 15_021 } as const
