/**
 * Who may import whom. `test/arch/imports.test.ts` runs these rules; no comment in a source file can silence one.
 *
 * Compiled paths (`dist/`) appear because tui, bench and test import the product through `#src/...`.
 * A folder that does not exist yet has its rule already.
 */

/** A path of the product, in source or compiled. */
const product = (path) => `^(src|dist)/${path}`;

const CONSOLES = '^(tui/|web/|src/cli/)';
const COMPOSITION = '^src/(main|cli|index|docs|reaper)\\.ts$|^src/gateway(/|\\.ts$)';
/** The part of src/admin that consoles and the gateway share. */
const ADMIN_CLIENT = 'admin/(protocol|client|client-[a-z]+|discover|lines|suggest|snapshot/.+|view/.+)\\.';
/** What works without a gateway: reads its files, names what a check has found. */
const OFFLINE = '(audit/verify|doctor/check|setup/plan)\\.';
/** Where an actor's message types and registered names may be imported from as values. */
const MESSAGES = '(^|/|-)(messages?|names)\\.ts$';
// `net` is not here for its pure isIP; test/arch/sources.test.ts watches that nothing else of it is used.
const IO = '^(node:)?(fs|fs/promises|http|https|http2|tls|dgram|child_process|worker_threads|cluster|readline|dns)$';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'An import cycle has no first module to run and none to understand.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-type-cycles',
      comment:
        'Nor in types. (Actors may: a typed name refers to its actor’s messages, and that actor to the names of others.)',
      severity: 'error',
      from: { pathNot: '^src/(actors|vsm|supervisors)/' },
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'An import leads nowhere, or to a package that package.json does not name.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'listed-packages',
      comment: 'What runs is in dependencies: no undeclared package, and no devDependency in src or tui.',
      severity: 'error',
      from: { path: '^(src|tui)/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['type-only'],
        pathNot: '(^|/)node_modules/@types/',
      },
    },
    {
      name: 'kernel-knows-no-gateway',
      comment: 'The kernel imports nothing of ours.',
      severity: 'error',
      from: { path: '^src/kernel/' },
      to: { path: '^(src/(?!kernel/)|dist/|tui/|bench/|test/)' },
    },
    {
      name: 'kernel-has-one-door',
      comment: "The kernel's inside is its own; import kernel/index.ts.",
      severity: 'error',
      from: { path: '^(src/(?!kernel/)|tui/|bench/)' },
      to: { path: product('kernel/(?!index\\.)') },
    },
    {
      name: 'protocol-knows-nobody',
      comment: 'The protocol imports nothing of ours.',
      severity: 'error',
      from: { path: '^src/protocol/' },
      to: { path: '^(src/(?!protocol/)|dist/|tui/|bench/|test/)' },
    },
    {
      name: 'protocol-does-no-io',
      comment: 'The protocol is pure functions: neither sockets nor files nor processes.',
      severity: 'error',
      from: { path: '^src/protocol/' },
      to: { path: `${IO}|(^|/)node_modules/(undici|ws|pino)/` },
    },
    {
      name: 'machines-and-vsm-models',
      comment: 'Machines and the models of the VSM are pure: they import the protocol, the kernel and each other.',
      severity: 'error',
      from: { path: '^src/(machines/|vsm/(?!actors/))' },
      to: { path: '^(src/(?!(machines|vsm|protocol|kernel)/)|src/vsm/actors/|dist/|tui/|bench/|test/)' },
    },
    {
      name: 'vsm-models-do-no-io',
      comment: 'What the VSM decides is decided by pure models; its actors do the rest.',
      severity: 'error',
      from: { path: '^src/vsm/(?!actors/)' },
      to: { path: `${IO}|(^|/)node_modules/(undici|ws|pino)/` },
    },
    {
      name: 'vsm-actors-know-the-plane',
      comment: 'Of other actors the VSM knows names, messages and what the data path publishes; never their inside.',
      severity: 'error',
      from: { path: '^src/vsm/actors/' },
      to: {
        path: '^(src/actors/|src/transports/|src/supervisors/|src/cli/)',
        pathNot: [MESSAGES, '^src/actors/(data-plane|upstream-gate)\\.ts$'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'audit-knows-nobody',
      comment: 'The audit log’s chain and files import nothing else of ours: they are read without a gateway, too.',
      severity: 'error',
      from: { path: '^src/audit/' },
      to: { path: '^(src/(?!audit/)|dist/|tui/|bench/|test/)' },
    },
    {
      name: 'config-knows-the-protocol',
      comment: 'Configuration imports the protocol and kernel types.',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^(src/(?!(config|protocol|kernel)/)|dist/|tui/|bench/|test/)' },
    },
    {
      name: 'machines-and-config-know-kernel-types-only',
      comment: 'Lifecycles and configuration are data: of the kernel they import types (`import { type ... }`).',
      severity: 'error',
      from: { path: '^src/(machines|config)/' },
      to: { path: '^src/kernel/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'actors-know-messages-only',
      comment:
        'Of an actor with a folder of its own others import types (`import { type ... }`) and the files named messages or names, never its inside.',
      severity: 'error',
      from: { path: '^src/actors/([^/]+)' },
      to: { path: '^src/actors/[^/]+/', pathNot: ['^src/actors/$1/', MESSAGES], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'actors-know-no-composition',
      comment:
        'Only the actors of the admin endpoint know src/admin beyond its protocol; none knows the tree or the consoles.',
      severity: 'error',
      from: { path: '^src/(actors|vsm|routing|telemetry|auth|cluster)/', pathNot: '^src/actors/admin-' },
      to: { path: '^(src/(supervisors/|cli/|admin/(?!(protocol\\.ts$|snapshot/)))|tui/|web/)' },
    },
    {
      name: 'transports-know-the-protocol',
      comment: "A transport imports the protocol only, never an actor's inside: it is told whom to call.",
      severity: 'error',
      from: { path: '^src/transports/' },
      to: { path: '^(src/(?!(transports|protocol)/)|dist/|tui/|bench/|test/)' },
    },
    {
      name: 'transport-sides-are-apart',
      comment: 'Inbound and outbound transports share protocol code, not each other.',
      severity: 'error',
      from: { path: '^src/transports/(in|out)bound/' },
      to: { path: '^src/transports/(in|out)bound/', pathNot: '^src/transports/$1bound/' },
    },
    {
      name: 'consoles-know-snapshots-only',
      comment: 'tui, web and cli know the admin protocol, its client and views, and protocol/text.',
      severity: 'error',
      from: { path: CONSOLES },
      to: {
        path: '^(src|dist|bench|test)/',
        pathNot: [product(ADMIN_CLIENT), product(OFFLINE), product('protocol/text\\.'), '^src/cli/'],
      },
    },
    {
      name: 'admin-client-side-is-light',
      comment: 'What consoles import of admin drags in none of the gateway.',
      severity: 'error',
      from: { path: `^src/${ADMIN_CLIENT}` },
      to: {
        path: '^src/',
        pathNot: [`^src/${ADMIN_CLIENT}`, '^src/protocol/text\\.ts$'],
      },
    },
    {
      name: 'composition-is-on-top',
      comment: 'Only entry points import the composition.',
      severity: 'error',
      from: { path: '^(src|tui|web)/', pathNot: COMPOSITION },
      to: { path: COMPOSITION },
    },
    {
      name: 'product-knows-no-tests',
      comment: 'What ships imports neither tests nor benchmarks.',
      severity: 'error',
      from: { path: '^(src|tui|web)/' },
      to: { path: '^(test|bench|chaos|dist-test)/' },
    },
    {
      name: 'nact-in-kernel-only',
      comment: 'nact has its traps (see the guard tests); only the kernel knows it.',
      severity: 'error',
      from: { path: '^(src/(?!kernel/)|tui/|web/|bench/)' },
      to: { path: '(^|/)node_modules/nact/' },
    },
    {
      name: 'blessed-in-tui-only',
      comment: 'The terminal library is the terminal dashboard’s.',
      severity: 'error',
      from: { path: '^(src|web|bench)/' },
      to: { path: '(^|/)node_modules/(blessed|blessed-contrib|@types/blessed)/' },
    },
    {
      name: 'xstate-in-machines-and-actors-only',
      comment: 'Lifecycle machines are made in machines and run by actors.',
      severity: 'error',
      from: { path: '^(src/(?!(machines|actors)/)|tui/|web/|bench/)' },
      to: { path: '(^|/)node_modules/xstate/' },
    },
    {
      name: 'no-schema-library-on-the-data-path',
      comment: 'zod is for configuration and admin messages.',
      severity: 'error',
      from: { path: '^(src/(?!(config|admin|actors/admin-))|tui/)' },
      to: { path: '(^|/)node_modules/zod/' },
    },
    {
      name: 'no-sdk-in-the-product',
      comment: 'The gateway speaks MCP itself; the SDKs are for tests, benchmarks, and logging in at upstreams.',
      severity: 'error',
      from: { path: '^(src|tui|web)/', pathNot: '^src/credentials/oauth\\.ts$' },
      to: { path: '(^|/)node_modules/@modelcontextprotocol/(sdk|client|server|core)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    preserveSymlinks: true,
    doNotFollow: { path: ['(^|/)node_modules/', '^dist/'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'require', 'default'],
      mainFields: ['module', 'main'],
    },
  },
};
