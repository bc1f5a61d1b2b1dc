/** The branch `admission`: the actors behind authentication and limits. */
import { authenticator } from '../actors/authenticator.js';
import { type DataPlane } from '../actors/data-plane.js';
import { limiter } from '../actors/limiter.js';
import { type Logger } from '../telemetry/logger.js';

export function admissionInits({
  plane,
  log,
}: {
  readonly plane: DataPlane;
  readonly log: Logger;
}): Record<string, unknown> {
  return { '/admission/authenticator': authenticator({ plane, log }), '/admission/limiter': limiter(plane) };
}
