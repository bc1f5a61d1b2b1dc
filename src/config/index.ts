/** What the rest of the gateway uses of the configuration. */
export { demoConfig, demoFolder, type DemoOptions } from './demo.js';
export { diffConfig, isEmptyDiff, withoutRestart, type ConfigDiff } from './diff.js';
export { configJsonSchema } from './json-schema.js';
export { loadConfig, type LoadOptions } from './load.js';
export { isLoopbackHost } from './host.js';
export {
  EXIT_USAGE,
  parseProcessOptions,
  PROCESS_OPTIONS,
  type ProcessOptions,
  type ProcessOptionsResult,
} from './options.js';
export { renderProblems, renderProblemsJson } from './problems.js';
export { renderConfigPage } from './reference.js';
export type {
  Config,
  ConfigOverrides,
  ConfigProblem,
  Environment,
  GatewayOptions,
  LoadResult,
  RemoteTarget,
  ServerConfig,
  ServerTarget,
  StdioTarget,
} from './types.js';
export { watchConfig, type ConfigWatch, type WatchDeps } from './watch.js';
export { secretsOf } from './secrets.js';
