/** Upstreams in a list, everything known of the chosen one beside it, and what may be done with it. */
import type { UpstreamSnapshot } from '#src/admin/protocol.js';
import { upstreamColumns } from '#src/admin/view/columns.js';
import { clock } from '#src/admin/view/format.js';
import { line, span } from '#src/admin/view/line.js';
import { offers, upstreamFacts } from '#src/admin/view/upstreams.js';
import { facts, h, panel, spans } from '../dom.js';
import { breakersPanel, poolPanel } from '../gauges.js';
import type { Action, Page, PageInput } from '../page.js';
import { table } from '../table.js';

export const upstreamsPage: Page = {
  id: 'upstreams',
  title: 'Upstreams',
  filters: true,
  wants: ({ chosen }) => (chosen === null ? null : { what: 'tools', server: chosen }),
  draw,
};

/** Columns that are less important stand in the detail beside the list. */
const LEAST_RANK = 4;

function draw(input: PageInput): readonly Node[] {
  const { snapshot, filter } = input;
  const rows = snapshot.upstreams.filter(({ name, state, transport, target }) =>
    [name, state, transport, target].some((text) => text.toLowerCase().includes(filter)),
  );
  const chosen = rows.find(({ name }) => name === input.table.chosen);
  const list = table({
    caption: 'Upstreams',
    columns: upstreamColumns(snapshot.takenAt).filter(({ rank = 0 }) => rank <= LEAST_RANK),
    rows,
    keyOf: ({ name }) => name,
    state: input.table,
    onChange: input.redraw,
    empty: 'No upstream matches.',
  });
  const detail = chosen
    ? detailOf(chosen, input)
    : h('p', { class: 'tone-dim' }, 'Choose an upstream to see all of it.');
  return [h('div', { class: 'grid beside' }, panel('Upstreams', list), panel(chosen?.name ?? 'Upstream', detail))];
}

function detailOf(upstream: UpstreamSnapshot, { snapshot, view, act }: PageInput): HTMLElement {
  const { lastError } = upstream;
  const now = snapshot.takenAt;
  const breaker = snapshot.breakers.find(({ kind, name }) => kind === 'upstream' && name === upstream.name);
  const tools = view.tools.filter(({ server }) => server === upstream.name);
  return h(
    'div',
    {},
    lastError === null
      ? null
      : h('p', { class: 'tone-warn' }, `${clock(lastError.at)} `, spans([span(lastError.message)])),
    breaker === undefined ? null : breakersPanel([{ ...breaker, name: 'Breaker' }], now),
    poolPanel(upstream.pool),
    facts([...upstreamFacts(upstream, now), ['Offers', line(offers(upstream))]]),
    tools.length === 0
      ? null
      : h(
          'ul',
          { class: 'tools-list', 'aria-label': 'Tools' },
          tools.map(({ tool, state }) =>
            h(
              'li',
              {},
              spans(state === 'quarantined' ? line(span(`▲ ${tool}`, 'warn'), span(' kept back', 'warn')) : line(tool)),
            ),
          ),
        ),
    act === null
      ? null
      : h(
          'div',
          { class: 'actions' },
          actionsFor(upstream).map((action) => button(action, act)),
        ),
  );
}

export function button(action: Action, act: (action: Action) => void): HTMLElement {
  return h('button', { type: 'button', 'data-key': `act/${action.title}`, onclick: () => act(action) }, action.title);
}

function actionsFor({ name, state }: UpstreamSnapshot): readonly Action[] {
  const send = (title: string, message: string, question: string | null): Action => ({
    title,
    question,
    method: 'send',
    params: { actor: `upstream:${name}`, message },
  });
  if (state === 'disabled') return [send('Enable', 'enable', null)];
  return [
    send('Reconnect', 'reconnect', `Reconnect "${name}"? Calls that run there are answered with an error.`),
    {
      title: 'Drain',
      question: `Drain "${name}"? Its work in flight finishes, new calls are refused.`,
      method: 'drain',
      params: { target: { kind: 'upstream', name } },
    },
    send('Disable', 'disable', `Disable "${name}"? Its tools are withdrawn until it is enabled again.`),
  ];
}
