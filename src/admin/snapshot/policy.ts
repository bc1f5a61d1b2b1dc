/** What consoles see of the policy, and what `viable policy check` is told. */
export interface RulesSnapshot {
  readonly version: number;
  /** SHA-256 of the canonical rules. */
  readonly digest: string;
  readonly default: 'allow' | 'deny';
  readonly rules: number;
  readonly denials: { readonly total: number; readonly lastFiveMinutes: number };
}

/** `viable policy show`: the rules as configured besides. */
export interface PolicyDetails extends RulesSnapshot {
  readonly tenantClaim: string;
  readonly text: readonly Readonly<Record<string, unknown>>[];
}

/** What the policy decides for one principal and one name, and by which rule. */
export interface PolicyCheck {
  readonly allowed: boolean;
  /** Which rule decided, or `default`. */
  readonly by: string;
  readonly target: { readonly kind: 'tool' | 'prompt' | 'resource'; readonly name: string; readonly server: string };
  /** Whether anything of that name is offered now. */
  readonly exists: boolean;
  /** Rules in order, up to the one that decides. */
  readonly steps: readonly {
    readonly rule: string;
    readonly effect: 'allow' | 'deny';
    readonly skipped: string | null;
  }[];
  /** Permissions that would turn a no into a yes. */
  readonly wanting: readonly string[] | null;
}
