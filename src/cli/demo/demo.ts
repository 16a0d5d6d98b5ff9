export * from './free-port.ts'
export * from './start-demo.ts'
