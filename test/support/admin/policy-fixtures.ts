import { type ToolDifference, type ToolPin } from '#src/admin/snapshot/tools.js';
import { type PolicyCheck, type RulesSnapshot } from '#src/admin/snapshot/policy.js';

export const FAKE_RULES = [
  { name: 'no-deletes', effect: 'deny', roles: ['user', 'guest'], tools: ['*__delete_*'] },
  { effect: 'allow', permissions: ['repo:write'], servers: ['github'] },
] as const;

export const FAKE_POLICY: RulesSnapshot = {
  version: 3,
  digest: 'ab'.repeat(32),
  default: 'allow',
  rules: FAKE_RULES.length,
  denials: { total: 12, lastFiveMinutes: 5 },
};

/** With text in it that must not reach a terminal as it is. */
export const FAKE_CHECK: PolicyCheck = {
  allowed: false,
  by: 'default',
  target: { kind: 'tool', name: 'github__\u001b[31mdelete_repo', server: 'github' },
  exists: false,
  steps: [
    { rule: 'rule 1 (no-deletes)', effect: 'deny', skipped: 'role is not user or guest' },
    { rule: 'rule 2', effect: 'allow', skipped: 'permission repo:write is missing' },
  ],
  wanting: ['repo:write'],
};

export const FAKE_TOOLS: readonly ToolPin[] = [
  {
    name: 'github__\u001b]8;;x\u0007push',
    server: 'github',
    tool: 'push',
    state: 'quarantined',
    hash: 'cd'.repeat(32),
    pinnedHash: 'ef'.repeat(32),
    pinnedAt: 1,
  },
];

/** Of one server: two that are pinned and one that is kept back; of all without. */
export function fakeToolsOf(server: unknown): readonly ToolPin[] {
  if (typeof server !== 'string') return FAKE_TOOLS;
  const pin = { server, hash: 'cd'.repeat(32), pinnedHash: 'cd'.repeat(32), pinnedAt: 1 } as const;
  return [
    { ...pin, name: `${server}__read`, tool: 'read', state: 'pinned' },
    { ...pin, name: `${server}__翻訳`, tool: '翻訳', state: 'pinned' },
    { ...pin, name: `${server}__push`, tool: 'push', state: 'quarantined' },
  ];
}

export const FAKE_DIFFERENCE: ToolDifference = {
  name: 'github__push',
  state: 'quarantined',
  differences: [{ path: 'description', before: '"Pushes."', after: '"Pushes.\\u202e evil"' }],
};
