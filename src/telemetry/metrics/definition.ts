/**
 * What a metric is: its OpenTelemetry name, kind, unit and attributes, and the Prometheus name that follows from them.
 *
 * Sources: OpenTelemetry specification, "Metrics Data Model"; "Prometheus and OpenMetrics Compatibility".
 */
import { type GatewaySnapshot } from '../../admin/protocol.js';

/** counter: only grows, until a restart. gauge: the value now. histogram: how many fell into each bucket. */
export type MetricKind = 'counter' | 'gauge' | 'histogram';

export interface MetricDefinition {
  /** OpenTelemetry name: lower case, dots between namespaces. */
  readonly name: string;
  readonly kind: MetricKind;
  /** UCUM: `s`, `By`, `1` for a ratio, `{message}` for a count of something. */
  readonly unit: string;
  readonly description: string;
  /** Names of the attributes that tell its series apart. Their values are bounded: never an id of a session or request. */
  readonly attributes: readonly string[];
}

/** One value of one series. */
export interface Sample {
  readonly value: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A metric that is read from what the dashboards show, when somebody collects. */
export interface Figure extends MetricDefinition {
  readonly kind: 'counter' | 'gauge';
  /** The samples of this instant; none where there is nothing to tell. */
  readonly read: (snapshot: GatewaySnapshot) => readonly Sample[];
}

const UNIT_SUFFIXES: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/**
 * The name at `/metrics`: underscores for dots, then the unit, then `_total` for a counter. A ratio is a gauge of unit `1`.
 */
export function prometheusName({ name, kind, unit }: MetricDefinition): string {
  const suffix = unit === '1' && kind === 'gauge' ? 'ratio' : UNIT_SUFFIXES[unit];
  const base = name.replaceAll(/[^A-Za-z0-9]+/g, '_');
  const whole = suffix === undefined || base.endsWith(`_${suffix}`) ? base : `${base}_${suffix}`;
  return kind === 'counter' ? `${whole}_total` : whole;
}

/** The label at `/metrics` of an attribute. */
export function prometheusLabel(attribute: string): string {
  return attribute.replaceAll(/[^A-Za-z0-9]+/g, '_');
}

/** What `/metrics` answers. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** A single series without attributes; none while there is no value. */
export function one(value: number | null): readonly Sample[] {
  return value === null ? [] : [{ value, attributes: {} }];
}

/** One series for each of `values`, 1 for the one that holds and 0 for the others. */
export function oneHot(
  attribute: string,
  values: readonly string[],
  current: string,
  others: Readonly<Record<string, string>> = {},
): Sample[] {
  return values.map((value) => ({ value: value === current ? 1 : 0, attributes: { ...others, [attribute]: value } }));
}
