/**
 * A collector: takes OTLP over HTTP in protobuf, as real ones do, and keeps what it got. It can be told to be slow, to
 * refuse, or never to answer.
 *
 * The messages are those of opentelemetry-proto 1.x, with the fields that tests look at.
 */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { EventLog } from './event-log.js';

const PROTO = `
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message Scope { string name = 1; string version = 2; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
message Link {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4;
  uint32 dropped_attributes_count = 5; fixed32 flags = 6;
}
message Status { string message = 2; int32 code = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  uint32 dropped_attributes_count = 10; repeated Event events = 11; uint32 dropped_events_count = 12;
  repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15; fixed32 flags = 16;
}
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Traces { repeated ResourceSpans resource_spans = 1; }
message NumberDataPoint { repeated KeyValue attributes = 7; double as_double = 4; sfixed64 as_int = 6; }
message Gauge { repeated NumberDataPoint data_points = 1; }
message Sum { repeated NumberDataPoint data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message HistogramDataPoint { repeated KeyValue attributes = 9; fixed64 count = 4; double sum = 5; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7; }
message Histogram { repeated HistogramDataPoint data_points = 1; }
message Metric { string name = 1; string description = 2; string unit = 3; Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; }
message ScopeMetrics { Scope scope = 1; repeated Metric metrics = 2; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message Metrics { repeated ResourceMetrics resource_metrics = 1; }
`;

const SPAN_KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const;
const STATUS_CODES = ['UNSET', 'OK', 'ERROR'] as const;

export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: (typeof SPAN_KINDS)[number];
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: (typeof STATUS_CODES)[number]; readonly message: string };
  readonly durationMs: number;
  readonly resource: Attributes;
}

export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly { readonly attributes: Attributes; readonly value: number }[];
  readonly resource: Attributes;
}

export type Mood = 'well' | 'refusing' | 'silent';

export class Collector {
  readonly spans = new EventLog<ReceivedSpan>();
  readonly metrics = new EventLog<ReceivedMetric>();
  /** Headers of every request for traces. */
  readonly headers: IncomingHttpHeaders[] = [];
  /** silent: never answers. refusing: 400. */
  mood: Mood = 'well';
  /** Requests for traces, answered or not. */
  requests = 0;
  readonly #server: Server;
  readonly #types: protobuf.Root;

  private constructor(server: Server) {
    this.#server = server;
    this.#types = protobuf.parse(PROTO, { keepCase: false }).root;
    server.on('request', (req: IncomingMessage, res: ServerResponse) => void this.#take(req, res));
  }

  static async start(): Promise<Collector> {
    const server = createServer();
    const collector = new Collector(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Of one trace, or all. */
  spansOf(traceId?: string): ReceivedSpan[] {
    return this.spans.items.filter((span) => traceId === undefined || span.traceId === traceId);
  }

  async waitForSpan(matches: (span: ReceivedSpan) => boolean, what: string): Promise<ReceivedSpan> {
    return await this.spans.waitFor(matches, what);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const bytes = req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    const traces = req.url === '/v1/traces';
    if (traces) {
      this.requests += 1;
      this.headers.push(req.headers);
    }
    if (this.mood === 'silent') return;
    if (this.mood === 'refusing') {
      res.writeHead(400).end();
      return;
    }
    if (req.headers['content-type'] !== 'application/x-protobuf') {
      res.writeHead(415).end();
      return;
    }
    if (traces) for (const span of readTraces(this.#types, bytes)) this.spans.push(span);
    else for (const metric of readMetrics(this.#types, bytes)) this.metrics.push(metric);
    res.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  }
}

type Plain = Record<string, unknown>;

/** Every field of `ExportTraceServiceRequest`, as it is; 64-bit numbers as text. */
export function decodeTraces(bytes: Uint8Array): unknown {
  const type = protobuf.parse(PROTO, { keepCase: false }).root.lookupType('Traces');
  return type.toObject(type.decode(bytes), { longs: String, bytes: String, arrays: true, defaults: true });
}

function decode(types: protobuf.Root, name: string, bytes: Buffer): Plain {
  const type = types.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: Number, bytes: Buffer, arrays: true, defaults: true });
}

function list(value: unknown): Plain[] {
  return (value ?? []) as Plain[];
}

function readTraces(types: protobuf.Root, bytes: Buffer): ReceivedSpan[] {
  return list(decode(types, 'Traces', bytes)['resourceSpans']).flatMap((group) => {
    const resource = attributesOf((group['resource'] as Plain)['attributes']);
    return list(group['scopeSpans']).flatMap((scope) => list(scope['spans']).map((span) => spanOf(span, resource)));
  });
}

function spanOf(span: Plain, resource: Attributes): ReceivedSpan {
  const status = (span['status'] ?? {}) as { code?: number; message?: string };
  return {
    traceId: hex(span['traceId']),
    spanId: hex(span['spanId']),
    parentSpanId: hex(span['parentSpanId']),
    traceState: String(span['traceState']),
    name: String(span['name']),
    kind: SPAN_KINDS[span['kind'] as number] ?? 'UNSPECIFIED',
    attributes: attributesOf(span['attributes']),
    events: list(span['events']).map((event) => ({
      name: String(event['name']),
      attributes: attributesOf(event['attributes']),
    })),
    links: list(span['links']).map((link) => ({ traceId: hex(link['traceId']), spanId: hex(link['spanId']) })),
    status: { code: STATUS_CODES[status.code ?? 0] ?? 'UNSET', message: status.message ?? '' },
    durationMs: ((span['endTimeUnixNano'] as number) - (span['startTimeUnixNano'] as number)) / 1e6,
    resource,
  };
}

function readMetrics(types: protobuf.Root, bytes: Buffer): ReceivedMetric[] {
  return list(decode(types, 'Metrics', bytes)['resourceMetrics']).flatMap((group) => {
    const resource = attributesOf((group['resource'] as Plain)['attributes']);
    return list(group['scopeMetrics']).flatMap((scope) =>
      list(scope['metrics']).map((metric) => {
        const data = (metric['gauge'] ?? metric['sum'] ?? metric['histogram']) as Plain;
        const points = list(data['dataPoints']).map((point) => ({
          attributes: attributesOf(point['attributes']),
          value: (point['count'] ?? point['asDouble'] ?? point['asInt']) as number,
        }));
        return { name: String(metric['name']), unit: String(metric['unit']), points, resource };
      }),
    );
  });
}

function attributesOf(value: unknown): Attributes {
  return Object.fromEntries(
    list(value).map((pair) => {
      const any = pair['value'] as Plain;
      const kind = ['stringValue', 'boolValue', 'intValue', 'doubleValue'].find((name) => any[name] !== undefined);
      return [String(pair['key']), any[kind ?? 'stringValue'] as string | number | boolean];
    }),
  );
}

function hex(value: unknown): string {
  return (value as Buffer).toString('hex');
}
