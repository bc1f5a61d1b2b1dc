/** The dashboard in a browser: pages, keys, what is drawn when, and what an operator does. */
import { duration } from '#src/admin/view/format.js';
import { line, span } from '#src/admin/view/line.js';
import { phaseLine } from '#src/admin/view/status.js';
import { confirmAction, help, signIn } from './dialogs.js';
import { h, replaceChildren, spans } from './dom.js';
import { Feed, type FeedView } from './feed.js';
import { History } from './history.js';
import type { Action, Page } from './page.js';
import { Press } from './press.js';
import { alarmsPage } from './pages/alarms.js';
import { connectionsPage } from './pages/connections.js';
import { logsPage } from './pages/logs.js';
import { overviewCharts, overviewPage } from './pages/overview.js';
import { treePage } from './pages/tree.js';
import { viabilityPage } from './pages/viability.js';
import { upstreamsPage } from './pages/upstreams.js';
import type { TableState } from './table.js';

const TOKEN = 'viable.token';
const THEME = 'viable.theme';
const DARK = matchMedia('(prefers-color-scheme: dark)');
const INTERVALS = [250, 500, 1_000, 2_000, 5_000, 10_000] as const;

class App {
  readonly #charts = overviewCharts();
  readonly #pages: readonly Page[] = [
    overviewPage(this.#charts),
    upstreamsPage,
    connectionsPage,
    treePage,
    viabilityPage,
    alarmsPage,
    logsPage(),
  ];
  readonly #feed = new Feed(
    () => sessionStorage.getItem(TOKEN),
    () => this.#changed(),
  );
  readonly #history = new History();
  readonly #press = new Press(() => this.#redraw());
  readonly #tables = new Map<string, TableState>();
  readonly #main = h('main', { id: 'main', tabindex: '-1' });
  readonly #status = h('div', { class: 'status' });
  /** Read out by screen readers: only what changes seldom. */
  readonly #live = h('p', { class: 'sr-only', 'aria-live': 'polite' });
  readonly #filter = h('input', {
    type: 'search',
    id: 'filter',
    placeholder: 'Filter (/)',
    'aria-label': 'Filter',
    oninput: () => this.draw(),
  });
  readonly #tabs = h('nav', { 'aria-label': 'Pages' });
  #frozen: FeedView | null = null;
  #scheduled = false;
  #link: FeedView['link'] = 'connecting';

  start(): void {
    this.#paint();
    document.body.replaceChildren(
      h('a', { href: '#main', class: 'skip' }, 'Skip to content'),
      h(
        'header',
        {},
        h('h1', {}, 'Viable'),
        this.#status,
        this.#tabs,
        h('div', { class: 'tools' }, this.#filter, this.#tools()),
      ),
      this.#main,
      this.#live,
    );
    addEventListener('hashchange', () => this.#turned());
    addEventListener('keydown', (event) => this.#key(event));
    DARK.addEventListener('change', () => this.#paint());
    this.#press.start();
    this.#turned();
    this.#feed.start();
  }

  draw(): void {
    const page = this.#page;
    const view = this.#frozen ?? this.#feed.view;
    this.#drawTabs(page);
    this.#drawStatus(view);
    this.#filter.hidden = page.filters !== true;
    const { snapshot } = view;
    this.#feed.want(page.wants?.(this.#table(page.id)) ?? null);
    if (snapshot === null)
      return replaceChildren(this.#main, h('p', { class: 'tone-dim' }, 'Waiting for the gateway…'));
    const nodes = page.draw({
      view,
      snapshot,
      history: this.#history,
      table: this.#table(page.id),
      filter: this.#filter.value.toLowerCase(),
      redraw: () => this.draw(),
      act: view.access === 'act' ? (action) => void this.#act(action) : null,
    });
    replaceChildren(this.#main, ...nodes);
  }

  get #page(): Page {
    const id = location.hash.replace(/^#\//, '');
    return this.#pages.find((page) => page.id === id) ?? (this.#pages[0] as Page);
  }

  #table(id: string): TableState {
    const state = this.#tables.get(id) ?? { sort: null, descending: false, chosen: null };
    this.#tables.set(id, state);
    return state;
  }

  #turned(): void {
    this.#filter.value = '';
    document.title = `${this.#page.title} · Viable`;
    this.draw();
  }

  #changed(): void {
    const { view } = this.#feed;
    if (view.snapshot) this.#history.add(view.snapshot);
    if (view.link !== this.#link) {
      this.#link = view.link;
      this.#live.textContent = LINKS[view.link];
      if (view.link === 'signed-out') this.#askToken();
    }
    if (this.#scheduled) return;
    // However much comes in, the page is drawn once a frame.
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#redraw();
    });
  }

  /** Draws what came in, unless somebody is in the middle of a click or has frozen the page. */
  #redraw(): void {
    if (this.#press.held) return;
    if (this.#frozen === null) this.draw();
    else this.#drawStatus(this.#frozen);
  }

  #askToken(): void {
    void signIn().then((token) => {
      if (token === null) return;
      sessionStorage.setItem(TOKEN, token);
      this.#feed.restart();
    });
  }

  async #act(action: Action): Promise<void> {
    if (action.question !== null && !(await confirmAction(action))) return;
    try {
      await this.#feed.request(action.method, action.params);
      this.#tell(`${action.title}: done.`);
    } catch (error) {
      this.#tell(error instanceof Error ? error.message : String(error));
    }
  }

  #tell(text: string): void {
    this.#live.textContent = text;
    const toast = h('div', { class: 'toast', role: 'status' }, text);
    document.body.append(toast);
    setTimeout(() => toast.remove(), 5_000);
  }

  #drawTabs(current: Page): void {
    replaceChildren(
      this.#tabs,
      ...this.#pages.map((page, at) =>
        h(
          'a',
          {
            href: `#/${page.id}`,
            'data-key': `tab/${page.id}`,
            'aria-current': page === current ? 'page' : undefined,
            title: `Key ${at + 1}`,
          },
          page.title,
        ),
      ),
    );
  }

  #drawStatus(view: FeedView): void {
    const { snapshot, link, way } = this.#feed.view;
    const state = link === 'live' ? span('● live', 'ok') : span(`▲ ${LINKS[link]}`, 'warn');
    const parts = [
      h('span', { class: 'link', 'data-link': link, 'data-way': way ?? '' }, spans([state])),
      snapshot === null ? null : h('span', { class: 'phase' }, spans(phaseLine(view.snapshot ?? snapshot))),
      snapshot === null
        ? null
        : h(
            'span',
            { class: 'tone-dim wide-only' },
            `${snapshot.version} · Node ${snapshot.node.replace(/^v/, '')} · every ${duration2(this.#feed.intervalMs)}`,
          ),
      this.#frozen === null ? null : h('span', {}, spans(line(span('❄ frozen (f)', 'accent')))),
      view.access === 'look' && link === 'live' ? h('span', { class: 'tone-dim wide-only' }, 'read-only') : null,
    ];
    this.#status.replaceChildren(...parts.filter((part) => part !== null));
  }

  #tools(): readonly Node[] {
    const tool = (label: string, text: string, act: () => void): HTMLElement =>
      h('button', { type: 'button', 'aria-label': label, title: label, onclick: act }, text);
    return [
      tool('Freeze (f)', '❄', () => this.#freeze()),
      tool('Light or dark (t)', '◐', () => this.#theme()),
      tool('Help (?)', '?', () => help(this.#pages)),
    ];
  }

  #freeze(): void {
    this.#frozen = this.#frozen === null ? this.#feed.view : null;
    this.draw();
  }

  #theme(): void {
    localStorage.setItem(THEME, document.documentElement.dataset['theme'] === 'dark' ? 'light' : 'dark');
    this.#paint();
  }

  /** Light or dark, as somebody has chosen here, else as the browser wishes. */
  #paint(): void {
    document.documentElement.dataset['theme'] = localStorage.getItem(THEME) ?? (DARK.matches ? 'dark' : 'light');
    const { throughput, latency, load } = this.#charts;
    for (const chart of [throughput, latency, load]) chart.repaint();
  }

  #refresh(step: 1 | -1): void {
    const at = INTERVALS.findIndex((interval) => interval >= this.#feed.intervalMs);
    const next = INTERVALS[Math.min(INTERVALS.length - 1, Math.max(0, at + step))];
    if (next !== undefined && next !== this.#feed.intervalMs) this.#feed.restart(next);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (event.target === this.#filter) {
      if (event.key === 'Escape') {
        this.#filter.value = '';
        this.#filter.blur();
        this.draw();
      }
      return;
    }
    if (event.target instanceof HTMLSelectElement) return;
    const page = this.#pages[Number(event.key) - 1];
    if (page) location.hash = `#/${page.id}`;
    else if (event.key === '/' && !this.#filter.hidden) this.#filter.focus();
    else if (event.key === 'f') this.#freeze();
    else if (event.key === 't') this.#theme();
    else if (event.key === '?') help(this.#pages);
    else if (event.key === '+' || event.key === '-') this.#refresh(event.key === '+' ? -1 : 1);
    else return;
    event.preventDefault();
  }
}

const LINKS = {
  connecting: 'connecting',
  live: 'live',
  lost: 'connection lost, trying again',
  'signed-out': 'sign in to see the gateway',
  off: 'dashboards are switched off: viable features enable dashboard',
} as const satisfies Record<FeedView['link'], string>;

function duration2(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : duration(ms);
}

new App().start();
