export { type ControllerMetrics, createControllerMetrics } from './controller-metrics.ts'
export { ownAccount } from './own-account.ts'
export { type Controller, type ControllerDeps, type ControllerSettings, startController } from './start-controller.ts'
