/** From the arrival of a request until it is sent, an event of its SERVER span. */
import { SharedFields } from './shared-fields.js';

export const QUEUE_WAIT = new SharedFields('viable.queue_wait', {}, 'viable.wait_ms');
