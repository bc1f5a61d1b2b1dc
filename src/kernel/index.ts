/** The kernel's public face: actors on nact with OTP's promises. It knows nothing of gateways. */
export * from './ask.js';
export * from './child-spec.js';
export * from './clock.js';
export { type StartResult } from './dynamic-supervisor.js';
export * from './ref.js';
export * from './reports.js';
export * from './restart.js';
export { type StartAgain } from './slot.js';
export { type NodeSnapshot } from './snapshot.js';
export * from './system.js';
export * from './timer-wheel.js';
export { Cell, TURN_BUDGET, URGENT_QUOTA } from './cell.js';
