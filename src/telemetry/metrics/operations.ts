/**
 * How long MCP operations and sessions take, as the data path counts them: plain histograms of fixed buckets, found by
 * three look-ups in maps, incremented in place. Exporters read them when somebody collects.
 *
 * Bounded: methods are those that the gateway knows, upstreams those that are configured; tools, prompts and error types
 * past a limit are counted together as `_OTHER`, and nothing is ever counted twice.
 * Source: OpenTelemetry semantic conventions for the Model Context Protocol, "Metrics".
 */
import { type MetricDefinition } from './definition.js';

/** Upper bounds of the buckets in seconds, as the conventions give them. */
export const DURATION_BOUNDARIES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300] as const;
/** What OpenTelemetry calls the rest. */
export const OTHER = '_OTHER';

/** Tools and prompts that are told apart in memory, over all upstreams. */
const MAX_TARGETS = 1_024;
/** Of these, how many have series of their own where metrics are collected. */
export const SHOWN_TARGETS = 200;
/** Error types that are told apart for each method and target: an upstream invents its codes as it likes. */
const MAX_ERRORS = 16;

/** Values in buckets, with their sum. The unit is the second. */
export class DurationHistogram {
  readonly counts: number[] = Array.from({ length: DURATION_BOUNDARIES.length + 1 }, () => 0);
  count = 0;
  sum = 0;

  record(seconds: number): void {
    let bucket = 0;
    while (bucket < DURATION_BOUNDARIES.length && seconds > (DURATION_BOUNDARIES[bucket] as number)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.count += 1;
    this.sum += seconds;
  }

  add(other: DurationHistogram): void {
    for (const [bucket, count] of other.counts.entries()) this.counts[bucket] = (this.counts[bucket] ?? 0) + count;
    this.count += other.count;
    this.sum += other.sum;
  }
}

/** One series as it is shown. */
export interface DurationSeries {
  readonly attributes: Readonly<Record<string, string>>;
  readonly histogram: DurationHistogram;
}

/** What ended well has no error type. */
const NO_ERROR = '';

/** Everything with one method and target at one place. */
class Target {
  readonly byError = new Map<string, DurationHistogram>();
  /** It has series of its own where metrics are collected, from now on. */
  shown = false;

  record(error: string, seconds: number): void {
    let histogram = this.byError.get(error);
    if (histogram === undefined) {
      const key = this.byError.size < MAX_ERRORS ? error : OTHER;
      histogram = this.byError.get(key) ?? new DurationHistogram();
      this.byError.set(key, histogram);
    }
    histogram.record(seconds);
  }

  get count(): number {
    let count = 0;
    for (const histogram of this.byError.values()) count += histogram.count;
    return count;
  }
}

interface Entry {
  readonly place: string;
  readonly method: string;
  readonly target: string;
  readonly series: Target;
}

/** Durations of the operations of one side: those that clients ask for, or those that upstreams are asked for. */
export class Operations {
  readonly #places = new Map<string, Map<string, Map<string, Target>>>();
  readonly #kind: 'server' | 'client';
  #targets = 0;
  #shown = 0;

  constructor(kind: 'server' | 'client') {
    this.#kind = kind;
  }

  /**
   * One operation that ended. `place`: the upstream's name, `''` on the server side. `target`: name of the tool or prompt,
   * `''` for none. `error`: `error.type` of the conventions, `null` when it went well.
   */
  record(place: string, method: string, target: string, error: string | null, seconds: number): void {
    const methods = this.#places.get(place) ?? this.#place(place);
    const targets = methods.get(method) ?? this.#method(methods, method);
    (targets.get(target) ?? this.#target(targets, target)).record(error ?? NO_ERROR, seconds);
  }

  /** An upstream that is configured no more has no series. */
  forget(place: string): void {
    this.#places.delete(place);
  }

  /**
   * The series as they are shown. What is shown by its name stays so, and the most used go first while there is room, so
   * that no counter ever goes back: whatever is in `_OTHER` now was there the last time.
   */
  series(): DurationSeries[] {
    const entries = [...this.#entries()];
    const waiting = entries.filter(({ series }) => !series.shown).sort((a, b) => b.series.count - a.series.count);
    for (const { series, target } of waiting) {
      if (target !== '' && target !== OTHER && this.#shown >= SHOWN_TARGETS) continue;
      series.shown = true;
      if (target !== '') this.#shown += 1;
    }
    const rest = new Map<string, DurationSeries>();
    const shown: DurationSeries[] = [];
    for (const { place, method, target, series } of entries) {
      for (const [error, histogram] of series.byError) {
        if (series.shown && target !== OTHER) {
          shown.push({ attributes: this.#attributes(place, method, target, error), histogram });
          continue;
        }
        const key = JSON.stringify([place, method, error]);
        const together = rest.get(key) ?? {
          attributes: this.#attributes(place, method, OTHER, error),
          histogram: new DurationHistogram(),
        };
        together.histogram.add(histogram);
        rest.set(key, together);
      }
    }
    return [...shown, ...rest.values()];
  }

  *#entries(): Iterable<Entry> {
    for (const [place, methods] of this.#places)
      for (const [method, targets] of methods)
        for (const [target, series] of targets) yield { place, method, target, series };
  }

  #place(place: string): Map<string, Map<string, Target>> {
    const methods = new Map<string, Map<string, Target>>();
    this.#places.set(place, methods);
    return methods;
  }

  #method(methods: Map<string, Map<string, Target>>, method: string): Map<string, Target> {
    const targets = new Map<string, Target>();
    methods.set(method, targets);
    return targets;
  }

  #target(targets: Map<string, Target>, target: string): Target {
    const key = target === '' || this.#targets < MAX_TARGETS ? target : OTHER;
    if (key === target && target !== '') this.#targets += 1;
    const series = targets.get(key) ?? new Target();
    targets.set(key, series);
    return series;
  }

  #attributes(place: string, method: string, target: string, error: string): Record<string, string> {
    return {
      'mcp.method.name': method,
      ...(this.#kind === 'client' && { 'viable.upstream': place }),
      ...(target !== '' && method === 'tools/call' && { 'gen_ai.tool.name': target }),
      ...(target !== '' && method === 'prompts/get' && { 'gen_ai.prompt.name': target }),
      ...(error !== NO_ERROR && { 'error.type': error }),
    };
  }
}

/** Durations of sessions that ended, by one attribute. */
export class Sessions {
  readonly #attribute: string;
  readonly #by = new Map<string, DurationHistogram>();

  constructor(attribute: string) {
    this.#attribute = attribute;
  }

  /** `of`: the transport, or the upstream's name. */
  record(of: string, seconds: number): void {
    const histogram = this.#by.get(of) ?? new DurationHistogram();
    this.#by.set(of, histogram);
    histogram.record(seconds);
  }

  forget(of: string): void {
    this.#by.delete(of);
  }

  series(): DurationSeries[] {
    return [...this.#by].map(([of, histogram]) => ({ attributes: { [this.#attribute]: of }, histogram }));
  }
}

/** Every histogram of the gateway. */
export class Durations {
  readonly server = new Operations('server');
  readonly client = new Operations('client');
  readonly serverSessions = new Sessions('viable.transport');
  readonly clientSessions = new Sessions('viable.upstream');

  /** An upstream was taken out of the configuration. */
  forget(upstream: string): void {
    this.client.forget(upstream);
    this.clientSessions.forget(upstream);
  }
}

export interface DurationMetric extends MetricDefinition {
  readonly kind: 'histogram';
  readonly read: (durations: Durations) => readonly DurationSeries[];
}

export const DURATION_METRICS: readonly DurationMetric[] = [
  {
    name: 'mcp.server.operation.duration',
    kind: 'histogram',
    unit: 's',
    description: 'From a client’s request to its answer.',
    attributes: ['mcp.method.name', 'gen_ai.tool.name', 'gen_ai.prompt.name', 'error.type'],
    read: ({ server }) => server.series(),
  },
  {
    name: 'mcp.client.operation.duration',
    kind: 'histogram',
    unit: 's',
    description: 'From a request sent to an upstream to its answer.',
    attributes: ['mcp.method.name', 'viable.upstream', 'gen_ai.tool.name', 'gen_ai.prompt.name', 'error.type'],
    read: ({ client }) => client.series(),
  },
  {
    name: 'mcp.server.session.duration',
    kind: 'histogram',
    unit: 's',
    description: 'Of sessions with clients that ended.',
    attributes: ['viable.transport'],
    read: ({ serverSessions }) => serverSessions.series(),
  },
  {
    name: 'mcp.client.session.duration',
    kind: 'histogram',
    unit: 's',
    description: 'Of sessions with upstreams that ended.',
    attributes: ['viable.upstream'],
    read: ({ clientSessions }) => clientSessions.series(),
  },
];
