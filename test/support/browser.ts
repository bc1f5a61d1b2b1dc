/**
 * Debian's Chromium for tests of the page. Where there is none, those tests are skipped, unless VIABLE_REQUIRE_BROWSER is
 * set (as CI does), when they fail.
 */
import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

const CANDIDATES = [
  process.env['CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
/** Nothing that looks for hosts outside. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Path of a browser; `undefined` when there is none and tests may be skipped. */
export function findBrowser(): string | undefined {
  const found = CANDIDATES.find((path) => path !== '' && existsSync(path));
  if (found === undefined && process.env['VIABLE_REQUIRE_BROWSER'] !== undefined)
    throw new Error('no Chromium here: apt-get install chromium, or set CHROMIUM to its path');
  return found;
}

export async function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error('no Chromium here');
  return chromium.launch({ executablePath, args: QUIET });
}

/** A page, and everything that went wrong on it: errors, refused scripts, failed requests, requests to other hosts. */
export async function watchedPage(
  browser: Browser,
  base: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !url.startsWith(base.replace('http', 'ws')) && !url.startsWith('data:'))
      faults.push(`another host: ${url}`);
  });
  return { page, faults };
}
