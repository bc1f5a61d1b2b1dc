/** `gateway.vsm`: the viable system, S1 to S5. What each part does: docs/vsm.md. */
import { z } from 'zod';
import { block, count, LIVE, scalar, text, time } from './parts.js';

const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

function threshold(description: string, pain: number, agony: number) {
  return z
    .strictObject({
      pain: z.number().positive().default(pain).describe(`${description} Pain begins here.`).meta({ apply: 'live' }),
      agony: z.number().positive().default(agony).describe('Critical from here on.').meta({ apply: 'live' }),
    })
    .refine(({ pain: from, agony: to }) => from < to, { error: 'agony must be above pain' })
    .prefault({});
}

const alarms = block(LIVE, 'The algedonic channel.', {
  escalation: block(LIVE, 'How long each stage has.', {
    unit: time('From the first sign to S3.').default(5_000),
    control: time('From S3 to S5.').default(15_000),
    policy: time('From S5 to the operator.').default(60_000),
  }).prefault({}),
  clearRatio: z
    .number()
    .gt(0)
    .max(1)
    .default(0.8)
    .describe('A signal is calm below this part of its threshold of pain.'),
  clearTicks: count('Calm seconds in a row that end a signal.', 1, 3_600).default(3),
  pleasureAfter: time('Doing better than its capability for this long is a pleasure.').default(300_000),
  history: count('Signals of the past that are kept.', 0, 10_000).default(200),
});

const thresholds = block(LIVE, 'Where pain begins.', {
  loopDelay: threshold('Milliseconds that the event loop is late.', 100, 2_000),
  heap: threshold('Per cent of the limit of the heap.', 80, 95),
  errorRate: threshold('Per cent of the requests over one transport that fail.', 5, 50),
  upstreamDown: threshold('Milliseconds that an upstream is away.', 15_000, 3_600_000),
  upstreamsOut: threshold(
    'Per cent of the demand that is for upstreams which take no calls; 100 when none takes any.',
    25,
    90,
  ),
  drops: threshold('Messages dropped a second.', 10, 1_000),
});

const webhook = block(LIVE, 'Tells an operator of alarms that nobody has resolved, by POST of JSON.', {
  url: text('the address')
    .regex(/^https?:\/\/[^\s/]+/, { error: 'must be an http or https address' })
    .nullable()
    .default(null)
    .describe('Where to. `null`: nowhere.'),
  headers: z.record(z.string(), scalar.transform(String)).default({}).describe('Headers of the request.'),
  timeout: time('The longest wait for an answer.').default(5_000),
  attempts: count('How often one alarm is tried.', 1, 10).default(4),
});

const policy = block(LIVE, 'S5: modes of admission. normal; conserve sheds; lockdown takes nobody new.', {
  enabled: z.boolean().default(true).describe('Let S5 decide on alarms. Off: only operators change the mode.'),
  modes: z
    .array(
      z.strictObject({
        when: text('a pattern').max(256).describe('Glob on `<source>/<index>` of an alarm.'),
        severity: z.enum(SEVERITIES).default('critical').describe('The least that counts.'),
        mode: z.enum(['conserve', 'lockdown']).describe('What it calls for.'),
      }),
    )
    .default([{ when: 'process/*', severity: 'critical', mode: 'conserve' }])
    .describe('Which alarms call for which mode, once they are at S5.'),
  essential: z
    .array(text('a name'))
    .default([])
    .describe('Servers that S5 favours when S3 cannot grant what S4 advises.'),
  calm: time('Time without a reason after which S5 goes back to normal.').default(30_000),
  conserve: block(LIVE, 'What conserve sheds.', {
    roles: z.array(text('a role')).default(['guest']).describe('Roles whose requests to servers are shed.'),
    methods: z
      .array(text('a method'))
      .default(['completion/complete', 'resources/subscribe'])
      .describe('Methods that are shed for everybody.'),
  }).prefault({}),
});

const ratio = (description: string, standard: number) =>
  z.number().min(0).max(1).default(standard).describe(description);

const coordination = block(LIVE, 'S2: damps what swings, paces what comes all at once.', {
  enabled: z.boolean().default(true).describe('Off: probes, connections and reads come all at once.'),
  connectsPerSecond: count('New connections to one server in a second.', 1, 100_000).default(50),
  connectBurst: count('New connections to one server that may come at once.', 1, 100_000).default(32),
  probes: count('Half-open breakers that may probe at a time.', 1, 10_000).default(4),
  coalesce: z
    .boolean()
    .default(true)
    .describe('Answer identical `resources/read` of one principal that run at the same time with one.'),
});

const unit = z
  .strictObject({
    weight: z.number().gt(0).max(1_000).default(1).describe('Its part of what is short.'),
    floor: count('Calls in flight that are its own whatever others want.', 0).optional(),
  })
  .describe('The bargain with one server.');

const control = block(LIVE, 'S3: grants each server a lease on the gateway.', {
  enabled: z.boolean().default(true).describe('Off: no leases; one busy server can take all there is.'),
  interval: time('One cycle.', 100).default(5_000),
  leaseTime: time('A lease that is not renewed for this long falls to its floor.', 100).default(15_000),
  slots: count('Calls in flight to all servers together.').default(8_192),
  rate: z
    .number()
    .gt(0)
    .nullable()
    .default(null)
    .describe('Calls a second to all servers together; `null`: unbounded.'),
  headroom: ratio('Granted beyond what is expected.', 0.3),
  reserve: count('Calls in flight that an idle server is granted at least, up to its floor.', 0).default(8),
  objective: ratio(
    'The part of its calls that a server is to answer; below, three cycles running, it loses weight.',
    0.9,
  ),
  units: z
    .record(z.string(), unit)
    .default({})
    .describe('Server → weight and floor. Who has no floor of its own shares what is left equally.'),
}).refine(({ slots, units }) => Object.values(units).reduce((sum, { floor = 0 }) => sum + floor, 0) <= slots, {
  error: 'the floors of the servers together must be at most `slots`',
  path: ['units'],
});

const audit = block(LIVE, 'S3*: looks at servers directly, past what is reported of them.', {
  enabled: z.boolean().default(true).describe('Off: nobody looks.'),
  meanInterval: time('Between two looks, on average; exponentially distributed.', 100).default(60_000),
  timeout: time('For one look.').default(10_000),
  latencyFactor: z
    .number()
    .min(1)
    .max(1_000)
    .default(5)
    .describe('Slower than reported by this factor is a discrepancy.'),
  stdio: z
    .boolean()
    .default(false)
    .describe('Also look at stdio servers, which starts a second process of each for the time of the look.'),
});

const intelligence = block(LIVE, 'S4: forecasts what comes, notices what is new.', {
  enabled: z.boolean().default(true).describe('Off: S3 goes by what was.'),
  alpha: ratio('Weight of the newest value in the level (Holt).', 0.5),
  beta: ratio('Weight of the newest change in the trend (Holt).', 0.3),
  horizon: count('Cycles ahead.', 1, 60).default(2),
  sigma: z.number().gt(0).max(100).default(3).describe('Standard deviations that are out of the ordinary.'),
});

export const vsm = block(LIVE, 'The viable system: alarms, coordination, control, intelligence and policy.', {
  enabled: z.boolean().default(true).describe('Off: nobody watches, nothing is damped, granted or decided.'),
  alarms: alarms.prefault({}),
  thresholds: thresholds.prefault({}),
  webhook: webhook.prefault({}),
  policy: policy.prefault({}),
  coordination: coordination.prefault({}),
  control: control.prefault({}),
  audit: audit.prefault({}),
  intelligence: intelligence.prefault({}),
});
