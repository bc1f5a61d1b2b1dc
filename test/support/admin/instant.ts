/** The instant of the fixtures, and text that no console may print as it is. */
export const FAKE_NOW = Date.UTC(2026, 10, 22, 14, 3, 59);

/** Would clear the screen, set the clipboard, turn text around, hide characters and switch colours. */
export const HOSTILE = '\u001b[2J\u001b]52;c;ZXZpbA==\u0007\u202egnol\u202c\u200b{red-fg}tag{/red-fg}\u009b31m';
