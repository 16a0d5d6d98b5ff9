/** Those that a proxy listens on beside its Gateway's. */
export const ownPorts = { admin: 15_000, peers: 15_001, health: 15_021 } as const
