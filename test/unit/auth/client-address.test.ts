/** Threat row "X-Forwarded-For bypass": whose address counts, hop by hop. */
import assert from 'node:assert/strict';
import { type IncomingMessage } from 'node:http';
import { ClientAddresses } from '#src/auth/client-address.js';

function addressOf(trusted: readonly string[], remoteAddress: string, forwarded?: string): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return new ClientAddresses(trusted).of({ socket: { remoteAddress }, headers } as unknown as IncomingMessage);
}

function schemeOf(trusted: readonly string[], remoteAddress: string, proto: string): string {
  const headers = { 'x-forwarded-proto': proto };
  return new ClientAddresses(trusted).scheme({ socket: { remoteAddress }, headers } as unknown as IncomingMessage);
}

describe('auth/client-address', () => {
  const proxies = ['10.0.0.0/8', '2001:db8:ffff::/48'];

  it('of an untrusted peer it is the socket’s, whatever the header says', () => {
    for (const said of ['1.2.3.4', '10.0.0.1', '127.0.0.1, 10.0.0.1', 'unknown', '', '::1', '<script>'])
      for (const trusted of [[], proxies]) assert.equal(addressOf(trusted, '203.0.113.7', said), '203.0.113.7');
  });

  it('of a trusted proxy it is the last hop that no trusted proxy wrote', () => {
    const cases: Readonly<Record<string, string>> = {
      '198.51.100.1': '198.51.100.1',
      '198.51.100.1, 10.9.9.9': '198.51.100.1',
      // What the client itself wrote stands first, and counts for nothing.
      '127.0.0.1, 198.51.100.1': '198.51.100.1',
      '10.1.1.1, 198.51.100.1, 10.9.9.9': '198.51.100.1',
      '1.1.1.1, 198.51.100.1, 10.9.9.9, 10.8.8.8': '198.51.100.1',
      // All of them proxies: the farthest.
      '10.1.1.1, 10.2.2.2': '10.1.1.1',
    };
    for (const [said, address] of Object.entries(cases))
      assert.equal(addressOf(proxies, '10.0.0.1', said), address, said);
    assert.equal(addressOf(proxies, '10.0.0.1'), '10.0.0.1');
  });

  it('an address in another form is the same: IPv4 in IPv6, and every address of a /64', () => {
    assert.equal(addressOf(proxies, '::ffff:10.0.0.1', '::ffff:198.51.100.1'), '198.51.100.1');
    assert.equal(addressOf([], '::ffff:203.0.113.7', '1.2.3.4'), '203.0.113.7');
    const one = addressOf(proxies, '10.0.0.1', '2001:db8:1:2:aaaa::1');
    assert.equal(one, '2001:db8:1:2::/64');
    assert.equal(addressOf(proxies, '10.0.0.1', '2001:0db8:0001:0002:ffff:ffff:ffff:ffff').length > 0, true);
    assert.equal(addressOf(proxies, '2001:db8:ffff::1', '2001:db8:1:2::9'), one);
  });

  it('what is no address is nobody’s: the proxy that passed it on is counted', () => {
    for (const said of ['unknown', 'garbage', '1.2.3.4:80', '999.1.1.1', '_hidden', '<script>', "x' OR 1=1"]) {
      const address = addressOf(proxies, '10.0.0.1', said);
      assert.ok(['10.0.0.1'].includes(address), `${said}: ${address}`);
    }
  });

  it('https is believed of a trusted proxy alone', () => {
    assert.equal(schemeOf(proxies, '10.0.0.1', 'https'), 'https');
    assert.equal(schemeOf(proxies, '10.0.0.1', 'https, http'), 'https');
    assert.equal(schemeOf(proxies, '203.0.113.7', 'https'), 'http');
    assert.equal(schemeOf([], '10.0.0.1', 'https'), 'http');
  });
});
