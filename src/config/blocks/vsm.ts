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
  calm: time('Time without a reason after which S5 goes back to normal.').default(30_000),
  conserve: block(LIVE, 'What conserve sheds.', {
    roles: z.array(text('a role')).default(['guest']).describe('Roles whose requests to servers are shed.'),
    methods: z
      .array(text('a method'))
      .default(['completion/complete', 'resources/subscribe'])
      .describe('Methods that are shed for everybody.'),
  }).prefault({}),
});

export const vsm = block(LIVE, 'The viable system: alarms, coordination, control, intelligence and policy.', {
  enabled: z.boolean().default(true).describe('Off: nobody watches, nothing is damped, granted or decided.'),
  alarms: alarms.prefault({}),
  thresholds: thresholds.prefault({}),
  webhook: webhook.prefault({}),
  policy: policy.prefault({}),
});
