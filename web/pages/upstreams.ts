/** Upstreams in a list, everything known of the chosen one beside it, and what may be done with it. */
import type { UpstreamSnapshot } from '#src/admin/protocol.js';
import { upstreamColumns } from '#src/admin/view/columns.js';
import { NONE, bytes, clock, count, duration } from '#src/admin/view/format.js';
import { line, span, type Line } from '#src/admin/view/line.js';
import { BREAKER_MARKS, marked, UPSTREAM_MARKS } from '#src/admin/view/marks.js';
import { facts, h, panel, spans } from '../dom.js';
import type { Action, Page, PageInput } from '../page.js';
import { table } from '../table.js';

export const upstreamsPage: Page = { id: 'upstreams', title: 'Upstreams', filters: true, draw };

function draw(input: PageInput): readonly Node[] {
  const { snapshot, filter } = input;
  const rows = snapshot.upstreams.filter(({ name, state, transport, target }) =>
    [name, state, transport, target].some((text) => text.toLowerCase().includes(filter)),
  );
  const chosen = rows.find(({ name }) => name === input.table.chosen);
  const list = table({
    caption: 'Upstreams',
    columns: upstreamColumns(snapshot.takenAt),
    rows,
    keyOf: ({ name }) => name,
    state: input.table,
    onChange: input.redraw,
    empty: 'No upstream matches.',
  });
  const detail = chosen
    ? detailOf(chosen, input)
    : h('p', { class: 'tone-dim' }, 'Choose an upstream to see all of it.');
  return [panel('Upstreams', list), panel(chosen?.name ?? 'Upstream', detail)];
}

function detailOf(upstream: UpstreamSnapshot, { snapshot, act }: PageInput): HTMLElement {
  const { lastError } = upstream;
  return h(
    'div',
    {},
    facts(factsOf(upstream, snapshot.takenAt)),
    lastError === null
      ? null
      : h('p', { class: 'tone-warn' }, `${clock(lastError.at)} `, spans([span(lastError.message)])),
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
    send('Disable', 'disable', `Disable "${name}"? Its tools are withdrawn until it is enabled again.`),
  ];
}

function factsOf(upstream: UpstreamSnapshot, now: number): readonly (readonly [string, Line])[] {
  const { serverInfo, retryAt } = upstream;
  const retry = retryAt === null ? [] : [span(`, next attempt in ${duration(retryAt - now)}`, 'warn')];
  return [
    [
      'State',
      [...marked(UPSTREAM_MARKS[upstream.state]), span(` for ${duration(now - upstream.since)}`, 'dim'), ...retry],
    ],
    ['Breaker', marked(BREAKER_MARKS[upstream.breaker])],
    ['Transport', line(upstream.transport, upstream.pid === null ? '' : span(` pid ${upstream.pid}`, 'dim'))],
    ['Target', line(upstream.target)],
    ['Server', line(serverInfo === null ? NONE : `${serverInfo.name} ${serverInfo.version}`)],
    ['Protocol', line(upstream.protocolVersion ?? NONE)],
    [
      'Offers',
      line(
        `${upstream.tools} tools, ${upstream.prompts} prompts, ${upstream.resources} resources, ${upstream.resourceTemplates} templates`,
      ),
    ],
    [
      'Calls',
      line(count(upstream.calls), span(`, ${count(upstream.failures)} failed`, upstream.failures > 0 ? 'bad' : 'dim')),
    ],
    ['In flight', line(count(upstream.inFlight))],
    ['Reconnects', line(count(upstream.reconnects))],
    ['Junk', line(bytes(upstream.junkBytes))],
  ];
}
