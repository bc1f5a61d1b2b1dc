/** The life of an upstream as a table, written from the documentation: phase, event, next phase. */
import { type UpstreamEvent, type UpstreamPhase } from '#src/machines/upstream.js';

export const UPSTREAM_EVENTS: readonly UpstreamEvent[] = [
  { type: 'opened' },
  { type: 'ready' },
  { type: 'lost', stable: false },
  { type: 'lost', stable: true },
  { type: 'retry' },
  { type: 'reconnect' },
  { type: 'disable' },
  { type: 'enable' },
];

const NEXT: Readonly<Record<UpstreamPhase, Partial<Record<UpstreamEvent['type'], UpstreamPhase>>>> = {
  connecting: { opened: 'initializing', lost: 'backoff', disable: 'disabled' },
  initializing: { ready: 'ready', lost: 'backoff', reconnect: 'connecting', disable: 'disabled' },
  ready: { lost: 'backoff', reconnect: 'connecting', disable: 'disabled' },
  backoff: { retry: 'connecting', reconnect: 'connecting', disable: 'disabled' },
  disabled: { enable: 'connecting' },
};

export class UpstreamModel {
  phase: UpstreamPhase;
  failures = 0;

  constructor(disabled: boolean) {
    this.phase = disabled ? 'disabled' : 'connecting';
  }

  get state() {
    return { phase: this.phase, failures: this.failures };
  }

  send(event: UpstreamEvent): void {
    const next = NEXT[this.phase][event.type];
    if (next === undefined) return;
    if (event.type === 'lost') this.failures = event.stable ? 1 : this.failures + 1;
    if (event.type === 'enable') this.failures = 0;
    this.phase = next;
  }
}
