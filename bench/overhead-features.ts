/** How each feature is switched on and off. */
import { type AdminSubscription } from '#src/admin/client.js';
import { type Bench } from './overhead-gateway.js';

export const FEATURE_IDS = ['dashboard', 'draining', 'tracing 1 %', 'tracing 10 %', 'jwt', 'audit', 'vsm'] as const;
export type FeatureId = (typeof FEATURE_IDS)[number];

/** `withToken`: its turns on are those with a token. */
export interface Turned {
  /** What it needs to be turned on at once, and what is a cost of having it in memory. */
  prepare?(): Promise<void>;
  /** After the warm-up, which runs more of it than its turns do: one call in a hundred would take an hour to have its code compiled. */
  warm?(): Promise<void>;
  on(): Promise<void>;
  off(): Promise<void>;
  /** What its turns owe: done when a window has ended, and a part of what it cost. */
  readonly pay?: () => Promise<void>;
  /** Shorter windows would pay more often than it does by itself. */
  readonly leastSeconds?: number;
  /** Undoes `prepare`. */
  end?(): Promise<void>;
  readonly withToken?: true;
}

/** As the seed's production configuration refreshes its dashboard by default. */
const REFRESH_MS = 1_000;
/** After which the gateway sends the spans that it has. */
const EXPORT_SECONDS = 5;

export function turn(bench: Bench, name: FeatureId): Turned {
  const { admin } = bench;
  const feature = async (which: string, on: boolean): Promise<void> => {
    await admin.request('features', { action: on ? 'enable' : 'disable', name: which });
  };
  switch (name) {
    case 'dashboard':
      return dashboard(bench);
    case 'draining':
    case 'audit':
    case 'vsm':
      return { on: () => feature(name, true), off: () => feature(name, false) };
    case 'jwt':
      return { on: () => Promise.resolve(), off: () => Promise.resolve(), withToken: true };
    case 'tracing 1 %':
    case 'tracing 10 %': {
      const sampled = async (rate: number): Promise<void> => {
        await admin.request('sampling', { rate });
      };
      // Configured, the SDK stays while the feature is off: no turn has to start it. It is loaded beside what goes on.
      const prepare = async (): Promise<void> => {
        await sampled(1);
        await bench.configureTelemetry(true);
        await feature('tracing', true);
        for (
          let state = await admin.request('sampling', {});
          !state.tracing;
          state = await admin.request('sampling', {})
        )
          await new Promise((resolve) => setTimeout(resolve, 50));
      };
      return {
        prepare,
        warm: () => sampled(name === 'tracing 1 %' ? 0.01 : 0.1),
        on: () => feature('tracing', true),
        off: () => feature('tracing', false),
        pay: async () => {
          await admin.request('send', { actor: 'telemetry', message: 'flush' });
        },
        leastSeconds: EXPORT_SECONDS,
        end: () => bench.configureTelemetry(false),
      };
    }
  }
}

/** A dashboard that is watched. */
function dashboard({ admin }: Bench): Turned {
  let watching: AdminSubscription | null = null;
  return {
    on: async () => {
      watching ??= await admin.watch(REFRESH_MS, () => undefined);
    },
    off: () => {
      watching?.cancel();
      watching = null;
      return Promise.resolve();
    },
  };
}
