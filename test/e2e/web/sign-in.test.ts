/** The browser dashboard where people have to say who they are: tokens, tickets, and what each may do. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Browser } from 'playwright-core';
import { WebSocket } from 'ws';
import { type AdminResponse } from '#src/admin/protocol.js';
import { bearer, lockedGateway, tokenFor } from '../../support/auth/tokens.js';
import { findBrowser, launchBrowser, watchedPage } from '../../support/browser.js';
import { fetchRaw, type HttpReply, type Json } from '../../support/raw-http.js';

const BASE = '/mcp/dashboard';

describe('web dashboard, signing in', function () {
  this.timeout(60_000);
  const world = lockedGateway();
  const at = (path: string): string => `${world.gateway.url}${path}`;

  function ask(method: string, token?: string): Promise<HttpReply> {
    const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : bearer(token)) };
    return fetchRaw(at(`${BASE}/admin`), {
      method: 'POST',
      headers,
      body: JSON.stringify({ id: 1, method, params: {} }),
    });
  }

  async function ticketFor(token: string): Promise<string> {
    const reply = await fetchRaw(at('/mcp/ticket'), { method: 'POST', headers: bearer(token) });
    assert.equal(reply.status, 200, reply.body);
    return String((JSON.parse(reply.body) as Json)['ticket']);
  }

  /** What the feed says first: what this console may do. */
  async function accessBy(query: string): Promise<unknown> {
    const socket = new WebSocket(`${at(`${BASE}/feed`).replace('http', 'ws')}?${query}`);
    try {
      const [data] = (await once(socket, 'message')) as [Buffer];
      return (JSON.parse(data.toString()) as { event: Json }).event['access'];
    } finally {
      socket.terminate();
    }
  }

  it('the page is open, its figures are not', async () => {
    assert.equal((await fetchRaw(at(BASE))).status, 200);
    assert.equal((await ask('status')).status, 401);
    assert.equal((await fetchRaw(at(`${BASE}/events`))).status, 401);
    await assert.rejects(accessBy(''), /401/);
    await assert.rejects(accessBy('ticket=made-up'), /401/);
  });

  it('administrators act, the permission "dashboard" looks, nobody else does either', async () => {
    const admin = await tokenFor('root', { role: 'admin' });
    const viewer = await tokenFor('eve', { role: 'user', permissions: ['dashboard'] });
    const user = await tokenFor('bob', { role: 'user' });
    assert.equal(await accessBy(`ticket=${await ticketFor(admin)}`), 'act');
    assert.equal(await accessBy(`ticket=${await ticketFor(viewer)}`), 'look');
    await assert.rejects(accessBy(`ticket=${await ticketFor(user)}`), /403/);
    assert.equal((await ask('status', user)).status, 403);
    const refused = JSON.parse((await ask('force-shutdown', viewer)).body) as AdminResponse;
    assert.ok(!refused.ok && refused.error.code === 'read_only');
  });

  it('a ticket opens one connection, and a token in the address none', async () => {
    const token = await tokenFor('root', { role: 'admin' });
    const ticket = await ticketFor(token);
    assert.equal(await accessBy(`ticket=${ticket}`), 'act');
    await assert.rejects(accessBy(`ticket=${ticket}`), /401/);
    await assert.rejects(accessBy(`token=${token}`), /401/);
  });

  describe('in a browser', () => {
    let browser: Browser;
    before(async function () {
      if (findBrowser() === undefined) this.skip();
      browser = await launchBrowser();
    });
    after(async () => {
      if (findBrowser() !== undefined) await browser.close();
    });

    it('asks for a token, shows the gateway, and keeps the token out of every address', async () => {
      const { page } = await watchedPage(browser, world.gateway.url);
      const addresses: string[] = [];
      page.on('request', (request) => addresses.push(request.url()));
      page.on('websocket', (socket) => addresses.push(socket.url()));
      await page.goto(at(BASE));
      await page.getByRole('dialog').waitFor();
      const token = await tokenFor('root', { role: 'admin' });
      await page.getByLabel('Token').fill(token);
      await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
      await page.waitForSelector('[data-link=live]');
      await page.getByRole('cell', { name: 'good' }).first().waitFor();
      assert.ok(addresses.some((address) => address.includes('ticket=')));
      assert.ok(addresses.every((address) => !address.includes(token)));
      await page.context().close();
    });

    it('asks anew when the token was revoked', async () => {
      const { page } = await watchedPage(browser, world.gateway.url);
      await page.goto(at(BASE));
      await page.getByRole('dialog').waitFor();
      const token = await tokenFor('root', { role: 'admin' });
      await page.getByLabel('Token').fill(token);
      await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
      await page.waitForSelector('[data-link=live]');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await world.gateway.admin('send', { actor: '/admission/authenticator', message: 'revoke', args: { token } });
      await page.getByRole('dialog').waitFor();
      await page.context().close();
    });
  });
});
