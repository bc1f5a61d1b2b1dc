/**
 * Telemetry: the OpenTelemetry SDK, while it is wanted.
 *
 * Parent: vitals. Restart: permanent. It owns the SDK and nothing that a request waits for: the data path looks at
 * `plane.tracing`, which is `null` while this actor has no SDK. A collector that is slow or gone costs spans, which are
 * counted, said in the log once, and a pain of the gateway while it lasts.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type ActorContext, type Behavior, type ReplyTo, toError } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';
import { type MetricSources } from '../telemetry/metrics/collect.js';
import { type RunningSdk } from '../telemetry/tracing/sdk.js';
import { type TelemetrySettings } from '../telemetry/tracing/settings.js';
import { type TracingState } from '../telemetry/tracing/state.js';
import { EventWindow } from '../vsm/event-window.js';
import { type AlgedonicPort } from '../vsm/reading.js';

export type TelemetryMessage =
  /** The settings, or an operator's word, may be other ones. */
  | { readonly type: 'telemetry/apply' }
  | { readonly type: 'telemetry/loaded'; readonly settings: TelemetrySettings; readonly start: () => RunningSdk }
  | { readonly type: 'telemetry/failed'; readonly settings: TelemetrySettings; readonly error: Error }
  | { readonly type: 'telemetry/exported'; readonly error: Error | null }
  /** What waits, now. */
  | { readonly type: 'telemetry/flush'; readonly replyTo: ReplyTo<Flushed> }
  | { readonly type: 'telemetry/tick' };

/** Spans that the collector took and did not take meanwhile; `complete`: it has answered for all that waited. */
export interface Flushed {
  readonly exported: number;
  readonly failed: number;
  readonly complete: boolean;
}

type Loaded = Extract<TelemetryMessage, { readonly type: 'telemetry/loaded' | 'telemetry/failed' }>;

export interface TelemetryDeps {
  readonly state: TracingState;
  /** As they are configured now. */
  readonly settings: () => TelemetrySettings;
  readonly metrics: MetricSources;
  readonly version: string;
  readonly log: Logger;
  readonly random: () => number;
  readonly algedonic: () => AlgedonicPort;
}

const TICK_MS = 5_000;
/** Over which the rate of losses is taken: a batch that fails is only given up after its retries, so losses come in bursts. */
const LOSS_WINDOW_MS = 60_000;
/** The most time that spans may take which are sent before they are due, as when the SDK is ended. */
const FLUSH_MS = 2_000;
/** Spans lost a second: where pain begins, and where it is agony. */
const PAIN = { pain: 1, agony: 1_000 } as const;

export function telemetry(deps: TelemetryDeps) {
  return async (context: ActorContext<TelemetryMessage>): Promise<Behavior<TelemetryMessage>> => {
    const actor = new Telemetry(deps, context);
    await actor.begin();
    return actor;
  };
}

class Telemetry implements Behavior<TelemetryMessage> {
  readonly #deps: TelemetryDeps;
  readonly #context: ActorContext<TelemetryMessage>;
  readonly #instanceId = randomUUID();
  #sdk: RunningSdk | null = null;
  /** What the SDK runs with, or is being loaded for. */
  #current: TelemetrySettings | null = null;
  readonly #losses = new EventWindow(LOSS_WINDOW_MS, LOSS_WINDOW_MS / TICK_MS);
  #lost = 0;

  constructor(deps: TelemetryDeps, context: ActorContext<TelemetryMessage>) {
    this.#deps = deps;
    this.#context = context;
    this.#lost = this.#lostSoFar();
    context.after(TICK_MS, { type: 'telemetry/tick' });
  }

  /** What is wanted at the start is there before the first request. */
  async begin(): Promise<void> {
    const wanted = await this.#apply();
    if (wanted) this.#handle(await this.#load(wanted));
  }

  async handle(message: TelemetryMessage): Promise<void> {
    if (message.type !== 'telemetry/apply') {
      this.#handle(message);
      return;
    }
    const wanted = await this.#apply();
    // Tens of megabytes of modules: loaded beside what goes on.
    if (wanted) void this.#load(wanted).then((loaded) => void this.#context.self.answer(loaded));
  }

  #handle(message: Exclude<TelemetryMessage, { readonly type: 'telemetry/apply' }>): void {
    switch (message.type) {
      case 'telemetry/loaded':
        // Other settings may be wanted by now: then theirs is on its way.
        if (this.#current === message.settings) this.#start(message.start);
        return;
      case 'telemetry/failed':
        if (this.#current === message.settings) this.#failed(message.error);
        return;
      case 'telemetry/exported':
        return this.#exported(message.error);
      case 'telemetry/flush':
        return void this.#flush(message.replyTo);
      case 'telemetry/tick':
        this.#report();
        this.#context.after(TICK_MS, message);
        return;
    }
  }

  async terminate(): Promise<void> {
    await this.#stop();
  }

  /** Ends what is not wanted any more; `undefined` when nothing has to be loaded. */
  async #apply(): Promise<TelemetrySettings | undefined> {
    const settings = this.#wanted();
    if (this.#current !== null && !sameSdk(this.#current, settings)) await this.#stop();
    if (this.#current !== null || !(settings.traces || settings.metrics)) return undefined;
    this.#current = settings;
    for (const warning of settings.warnings) this.#deps.log.warn({ event: 'telemetry_setting' }, warning);
    return settings;
  }

  async #load(settings: TelemetrySettings): Promise<Loaded> {
    const { state, metrics, version, random } = this.#deps;
    const { counts, recent } = state;
    try {
      const { startSdk } = await import('../telemetry/tracing/sdk.js');
      const onExport = (error: Error | null): void =>
        void this.#context.self.tell({ type: 'telemetry/exported', error });
      const { clock } = this.#context;
      const given = { settings, version, instanceId: this.#instanceId, counts, recent, metrics };
      const parts = { ...given, random, clock, onExport };
      return { type: 'telemetry/loaded', settings, start: () => startSdk(parts) };
    } catch (cause) {
      return { type: 'telemetry/failed', settings, error: toError(cause) };
    }
  }

  #start(start: () => RunningSdk): void {
    if (this.#sdk !== null || this.#current === null) return;
    try {
      this.#sdk = start();
    } catch (cause) {
      // What cannot be sent must not keep the gateway from starting.
      this.#failed(toError(cause));
      return;
    }
    this.#deps.state.tracer = this.#sdk.tracer;
    const { traces, metrics } = this.#current;
    this.#deps.log.info(
      { event: 'telemetry_started', traces, metrics, samplingRate: this.#deps.state.rate },
      'telemetry is sent to the collector',
    );
  }

  #failed(error: Error): void {
    this.#current = null;
    this.#deps.log.error({ event: 'telemetry_failed', stack: error.stack }, error.message);
  }

  async #stop(): Promise<void> {
    this.#deps.state.tracer = null;
    this.#current = null;
    const sdk = this.#sdk;
    this.#sdk = null;
    await sdk?.stop(FLUSH_MS);
  }

  async #flush(replyTo: ReplyTo<Flushed>): Promise<void> {
    const { counts } = this.#deps.state;
    const { exported, failed } = counts;
    const complete = (await this.#sdk?.flush(FLUSH_MS)) ?? true;
    replyTo.reply({ exported: counts.exported - exported, failed: counts.failed - failed, complete });
  }

  /** As configured; an operator who switches tracing on gets it, with the collector that OpenTelemetry assumes. */
  #wanted(): TelemetrySettings {
    const settings = this.#deps.settings();
    return this.#deps.state.forced ? { ...settings, traces: true } : settings;
  }

  #exported(error: Error | null): void {
    const { state, log } = this.#deps;
    const before = state.trouble;
    state.trouble = error?.message ?? null;
    if (error && before === null)
      log.warn({ event: 'telemetry_export_failed', error: error.message }, 'the collector does not take the spans');
    if (!error && before !== null) log.info({ event: 'telemetry_export_recovered' }, 'the collector takes spans again');
  }

  #report(): void {
    const lost = this.#lostSoFar();
    const now = this.#context.clock.now();
    this.#losses.add(now, lost - this.#lost);
    this.#lost = lost;
    const rate = (this.#losses.within(now) * 1_000) / LOSS_WINDOW_MS;
    const message = rate === 0 ? 'no span is lost' : `${rate.toFixed(1)} spans a second do not reach the collector`;
    this.#deps.algedonic().report({ source: 'telemetry', index: 'lost_spans', value: rate, ...PAIN, message });
  }

  #lostSoFar(): number {
    const { dropped, failed } = this.#deps.state.counts;
    return dropped + failed;
  }
}

/** Whether an SDK that runs with one serves for the other: the rate alone changes while it runs. */
function sameSdk(a: TelemetrySettings, b: TelemetrySettings): boolean {
  return isDeepStrictEqual({ ...a, samplingRate: 0 }, { ...b, samplingRate: 0 });
}
