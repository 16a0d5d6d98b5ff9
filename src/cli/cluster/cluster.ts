export * from './kube-identity.ts'
