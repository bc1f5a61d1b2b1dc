/** `npm run docs`: writes every page of docs/ that is generated from code. CI runs it and fails on a difference. */
import { writeFileSync } from 'node:fs';
import { configJsonSchema, renderConfigPage } from '../dist/config/index.js';
import { renderErrorsPage } from '../dist/protocol/errors.js';
import { renderSupervisionPage } from '../dist/supervisors/supervision-doc.js';

const pages = {
  'config.schema.json': `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  'configuration.md': renderConfigPage(),
  'errors.md': renderErrorsPage(),
  'SUPERVISION.md': renderSupervisionPage(),
};
for (const [name, text] of Object.entries(pages)) writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);
