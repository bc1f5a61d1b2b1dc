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
        find: 'const unsent = forgotten ? this.#pending.takeRefused() : [];',
        replace:
          "const unsent = this.#pending.takeAll().filter(({ type }) => type === 'call');\n        for (const call of unsent) call.upstreamId = 0;",
      },
      { file: 'actors/upstream.js', find: 'if (!forgotten)\n            this.#failParked(why);', replace: '' },
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
        find: 'const inFlight = this.#target.inFlight();',
        replace: 'const inFlight = 0;',
      },
    ],
  },
  {
    name: 'one time for all',
    scenario: 'drain-many',
    edits: [{ file: 'actors/drain/run.js', find: 'random() * spread', replace: '0.5 * spread' }],
  },
];
