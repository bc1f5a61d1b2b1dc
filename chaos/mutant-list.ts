/** The mutants: which promise of the product each breaks, where, and the scenario that has to notice. */

export interface Edit {
  /** In the built product. */
  readonly file: string;
  /** Stands exactly once in it. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  readonly scenario: string;
  readonly edits: readonly Edit[];
}

export const MUTANTS: readonly Mutant[] = [
  {
    // Every client counts its requests from 1.
    name: 'no id rewrite',
    scenario: 'garbage-stdio',
    edits: [
      {
        file: 'actors/upstream-session.js',
        find: 'const id = this.#pending.nextId();',
        replace: 'const id = call.id;',
      },
    ],
  },
  {
    name: 'answers taken twice',
    scenario: 'garbage-stdio',
    edits: [
      {
        file: 'actors/pending-requests.js',
        find: 'this.#pending.delete(id);\n        if (waiting.type',
        replace: 'if (waiting.type',
      },
      {
        file: 'actors/call-table.js',
        find: "if (this.#calls.get(call.id) !== call) {\n            this.#deps.plane.counters.drop('late_answer');",
        replace: "if (false) {\n            this.#deps.plane.counters.drop('late_answer');",
      },
    ],
  },
  {
    name: 'pending forgotten',
    scenario: 'kill-stdio',
    edits: [{ file: 'actors/upstream-session.js', find: '...this.#pending.takeAll()', replace: '...[]' }],
  },
  {
    name: 'lost calls sent again',
    scenario: 'kill-stdio',
    edits: [
      {
        file: 'actors/upstream-session.js',
        find: 'const unsent = forgotten && this.#ready ? [...this.#pending.takeRefused(), ...this.#unsent.splice(0)] : [];',
        replace:
          "const unsent = this.#pending.takeAll().filter(({ type }) => type === 'call');\n        for (const call of unsent) call.upstreamId = 0;",
      },
      { file: 'actors/upstream.js', find: 'if (!forgotten)\n            this.#failParked(why);', replace: '' },
    ],
  },
  {
    // A server that was stopped answers when the deadline is over and the client has been told so.
    name: 'late answers delivered',
    scenario: 'stop-stdio',
    edits: [
      {
        file: 'actors/upstream-session.js',
        find: 'this.#pending.take(id);\n        this.#replies.cancelled(call);',
        replace: 'this.#replies.cancelled(call);',
      },
      {
        file: 'actors/call-table.js',
        find: "if (this.#calls.get(call.id) !== call) {\n            this.#deps.plane.counters.drop('late_answer');",
        replace: "if (false) {\n            this.#deps.plane.counters.drop('late_answer');",
      },
    ],
  },
  {
    name: 'no reconnection',
    scenario: 'kill-http',
    edits: [
      {
        file: 'actors/upstream.js',
        find: "if (this.#step({ type: 'retry' }) === 'backoff')",
        replace: 'if (false)',
      },
    ],
  },
  {
    name: 'drain does not wait',
    scenario: 'sigterm',
    edits: [
      {
        file: 'actors/drain/run.js',
        find: 'if (inFlight === 0 && (this.#target.connections() === 0',
        replace: 'if (true || (this.#target.connections() === 0',
      },
    ],
  },
  {
    name: 'no quiet period',
    scenario: 'sigterm',
    edits: [{ file: 'actors/drain/run.js', find: 'if (now >= this.#quietAt)', replace: 'if (false)' }],
  },
  {
    name: 'drain refuses nobody',
    scenario: 'sigterm',
    edits: [{ file: 'actors/newcomers.js', find: "if (admission.state === 'draining')", replace: 'if (false)' }],
  },
  {
    name: 'drain tells nobody',
    scenario: 'drain-many',
    edits: [
      {
        file: 'actors/drain/sessions.js',
        find: "entry.ref.urgent({ type: 'client/shutdown-pending', notice: notice() });",
        replace: '',
      },
    ],
  },
  {
    name: 'one time for all',
    scenario: 'drain-many',
    edits: [{ file: 'actors/drain/run.js', find: 'random() * spread', replace: '0.5 * spread' }],
  },
  {
    name: 'no cap on what waits',
    scenario: 'slow-readers',
    edits: [
      {
        file: 'transports/inbound/outflow.js',
        find: 'return unread > this.#limits().maxBufferedBytes;',
        replace: 'return false;',
      },
    ],
  },
  {
    name: 'no bound of the pool',
    scenario: 'crowd',
    edits: [
      {
        file: 'machines/pool.js',
        find: 'return Math.min(size + overflow, limit ?? Infinity);',
        replace: 'return Infinity;',
      },
    ],
  },
  {
    name: 'no breaker',
    scenario: 'sick-upstream',
    edits: [
      {
        file: 'actors/breaker-gate.js',
        find: "return this.state !== 'closed' && !this.tokenFree;",
        replace: 'return false;',
      },
    ],
  },
];
