export type { GatewayPlan } from './gateway-plan.ts'
export { provision } from './provision-gateway.ts'
