/** Every page of docs/ that is generated from code: file name → text. Needs `npm run build` first. */
import { renderFiguresPage } from '../dist/admin/snapshot/figures.js';
import { configJsonSchema, renderConfigPage } from '../dist/config/index.js';
import { renderErrorsPage } from '../dist/protocol/errors.js';
import { renderMetricsPage } from '../dist/telemetry/metrics/page.js';
import { renderSupervisionPage } from '../dist/supervisors/supervision-doc.js';

export const pages = {
  'config.schema.json': `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  'configuration.md': renderConfigPage(),
  'errors.md': renderErrorsPage(),
  'figures.md': renderFiguresPage(),
  'metrics.md': renderMetricsPage(),
  'SUPERVISION.md': renderSupervisionPage(),
};
