/**
 * S5's part of admission: the modes of the gateway, what each admits, and which mode alarms call for. Pure.
 *
 * normal admits everything that other checks let pass. conserve sheds what can wait, so that the rest is served.
 * lockdown serves administrators and the sessions that are there already, nobody new.
 * Source: Beer, "The Heart of Enterprise" (S5 closes the loop of S3 and S4); docs/vsm.md.
 */
import { compileFilter } from '../protocol/globs.js';
import { type Alarm } from './alarms-model.js';
import { type Severity } from './reading.js';

export const MODES = ['normal', 'conserve', 'lockdown'] as const;
export type Mode = (typeof MODES)[number];

/** The policy in force. Replaced as a whole; the version grows by one each time. */
export interface Standing {
  readonly version: number;
  readonly mode: Mode;
  readonly since: number;
  /** An operator's word holds until an operator says `normal`; S5's own ends with its reason. */
  readonly by: 'operator' | 'policy';
  readonly reason: string;
}

/** An alarm that calls for a mode. */
export interface ModeRule {
  /** Glob on `<source>/<index>`. */
  readonly when: string;
  /** The least severity that counts. */
  readonly severity: Severity;
  readonly mode: 'conserve' | 'lockdown';
}

/** A rule with its pattern made ready: S5 must not spend its first instant on that. */
export interface CompiledRule {
  readonly rule: ModeRule;
  readonly fits: (name: string) => boolean;
}

export function compileModes(rules: readonly ModeRule[]): readonly CompiledRule[] {
  return rules.map((rule) => ({ rule, fits: compileFilter({ allow: [rule.when] }) }));
}

/** What conserve sheds. */
export interface Conserve {
  readonly roles: readonly string[];
  readonly methods: readonly string[];
}

/** Of a principal, what the modes ask. */
export interface Petitioner {
  readonly role: string;
  /** `null`: nobody was authenticated. */
  readonly subject: string | null;
}

export function firstStanding(now: number): Standing {
  return { version: 1, mode: 'normal', since: now, by: 'policy', reason: 'start' };
}

/** Whether the mode keeps this request out, and under which name. A call of a session that is there already is `known`. */
export function refusal(
  mode: Mode,
  who: Petitioner,
  method: string,
  known: boolean,
  conserve: Conserve,
): 'conserving' | 'lockdown' | undefined {
  switch (mode) {
    case 'normal':
      return undefined;
    case 'conserve':
      return conserve.roles.includes(who.role) || conserve.methods.includes(method) ? 'conserving' : undefined;
    case 'lockdown':
      return known || isAdministrator(who) ? undefined : 'lockdown';
  }
}

/** With authentication off everybody has the role, nobody is known: in lockdown that is not enough. */
export function isAdministrator({ role, subject }: Petitioner): boolean {
  return role === 'admin' && subject !== null;
}

/** The strictest mode that these alarms call for, and the one that does. */
export function calledFor(
  alarms: Iterable<Alarm>,
  rules: readonly CompiledRule[],
): { readonly mode: Mode; readonly because: Alarm | null } {
  let mode: Mode = 'normal';
  let because: Alarm | null = null;
  for (const alarm of alarms) {
    if (alarm.value < alarm.pain) continue;
    for (const { rule, fits } of rules) {
      if (SEVERITIES.indexOf(alarm.severity) < SEVERITIES.indexOf(rule.severity)) continue;
      if (MODES.indexOf(rule.mode) <= MODES.indexOf(mode)) continue;
      if (!fits(`${alarm.source}/${alarm.index}`)) continue;
      mode = rule.mode;
      because = alarm;
    }
  }
  return { mode, because };
}

const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/**
 * What S5 decides now. `called`: the strictest mode that alarms call for. `quietSince`: since when none has called for the
 * mode that it set; `calm`: how long that takes to be over, milliseconds. Returns the standing as it is when nothing is to change.
 */
export function decide(
  standing: Standing,
  { mode, because }: ReturnType<typeof calledFor>,
  quietSince: number | null,
  calm: number,
  now: number,
): Standing {
  if (because !== null && MODES.indexOf(mode) > MODES.indexOf(standing.mode)) {
    return next(standing, mode, 'policy', `${because.source} ${because.index}: ${because.message}`, now);
  }
  if (standing.by === 'operator' || standing.mode === 'normal' || because !== null) return standing;
  if (quietSince === null || now - quietSince < calm) return standing;
  return next(standing, 'normal', 'policy', 'its reason is gone', now);
}

/** The next version. */
export function next(standing: Standing, mode: Mode, by: Standing['by'], reason: string, now: number): Standing {
  return { version: standing.version + 1, mode, since: now, by, reason };
}
