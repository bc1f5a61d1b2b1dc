/** Questions and help, as the browser's own dialogs: focus stays within, Escape closes. */
import { h } from './dom.js';
import type { Action, Page } from './page.js';

/** `true` when the operator says yes. */
export function confirmAction(action: Action): Promise<boolean> {
  return ask(action.title, [h('p', {}, action.question ?? '')], action.title).then((answer) => answer === 'yes');
}

/** The token that was typed; `null` when nobody did. */
export async function signIn(): Promise<string | null> {
  const field = h('input', {
    type: 'password',
    id: 'token',
    autocomplete: 'off',
    required: true,
    'aria-label': 'Token',
  });
  const text = 'This gateway asks who you are. Paste a token of role admin, as `viable token create` prints it.';
  const answer = await ask('Sign in', [h('p', {}, text), field], 'Sign in');
  const token = field.value.trim();
  return answer === 'yes' && token !== '' ? token : null;
}

export function help(pages: readonly Page[]): void {
  const keys: readonly (readonly [string, string])[] = [
    ...pages.map(({ title }, at) => [String(at + 1), title] as const),
    ['/', 'filter; Esc clears it'],
    ['Enter', 'choose a row; ↑ ↓ move'],
    ['+ -', 'refresh faster, slower'],
    ['f', 'freeze'],
    ['t', 'light or dark'],
    ['?', 'this help'],
  ];
  const list = h(
    'dl',
    { class: 'facts' },
    keys.map(([key, what]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, what))),
  );
  void ask('Keys', [list], null);
}

function ask(title: string, content: readonly Node[], yes: string | null): Promise<string> {
  const form = h(
    'form',
    { method: 'dialog' },
    h('h2', { id: 'dialog-title' }, title),
    content,
    h(
      'div',
      { class: 'actions' },
      h('button', { value: 'no', formnovalidate: true }, yes === null ? 'Close' : 'Cancel'),
      yes === null ? null : h('button', { value: 'yes', class: 'primary' }, yes),
    ),
  );
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}
