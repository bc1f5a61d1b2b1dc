/**
 * Elements from data. Text goes in as text and never as markup, so nothing that came from outside can become an element.
 */
import type { Line, Tone } from '#src/admin/view/line.js';

type Child = Node | string | null | undefined | readonly Child[];

export interface Attributes {
  readonly class?: string;
  readonly title?: string;
  readonly onclick?: (event: MouseEvent) => void;
  /** Any other attribute; `true` is present without a value, `false` and `undefined` are absent. */
  readonly [name: string]: unknown;
}

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, '');
    else if (typeof value === 'string' || typeof value === 'number') element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

function append(parent: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (typeof child === 'string') parent.appendChild(document.createTextNode(child));
    else if (child instanceof Node) parent.appendChild(child);
    else if (child !== null && child !== undefined) append(parent, child);
  }
}

/** What consoles draw, as spans whose class is their tone. */
export function spans(line: Line): HTMLElement[] {
  return line.map(({ text, tone }) => h('span', { class: toneClass(tone) }, text));
}

export function toneClass(tone: Tone): string {
  return `tone-${tone}`;
}

/** A box with a heading. */
export function panel(title: Child, ...children: readonly Child[]): HTMLElement {
  return h('section', { class: 'panel' }, h('h2', {}, title), children);
}

/** Names and values, as consoles show facts. */
export function facts(named: readonly (readonly [string, Line])[]): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    named.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, spans(value)))),
  );
}

/**
 * Puts `next` in the place of `current`'s children, keeping the focus and the scroll position of what stays the same by its
 * `data-key`.
 */
export function replaceChildren(parent: HTMLElement, ...next: readonly Node[]): void {
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['key'] : undefined;
  const scrolled = new Map(
    [...parent.querySelectorAll<HTMLElement>('[data-scroll]')].map((element) => [
      element.dataset['scroll'],
      [element.scrollLeft, element.scrollTop] as const,
    ]),
  );
  parent.replaceChildren(...next);
  for (const element of parent.querySelectorAll<HTMLElement>('[data-scroll]')) {
    const place = scrolled.get(element.dataset['scroll']);
    if (place) [element.scrollLeft, element.scrollTop] = place;
  }
  if (focused === undefined || document.activeElement !== document.body) return;
  for (const element of parent.querySelectorAll<HTMLElement>('[data-key]')) {
    if (element.dataset['key'] === focused) element.focus({ preventScroll: true });
  }
}
