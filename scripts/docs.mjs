/** `npm run docs`: writes every page of docs/ that is generated from code. CI runs it and fails on a difference. */
import { writeFileSync } from 'node:fs';
import { pages } from './pages.mjs';

for (const [name, text] of Object.entries(pages)) writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);
