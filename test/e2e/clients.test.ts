/** Every official client, unmodified, against one gateway in front of three upstreams with 5,022 tools. */
import { CLIENTS } from '../support/clients.js';
import { FIXTURE_TOOLS } from '../support/fixture-names.js';
import { startGateway, type Gateway } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { settings } from '../support/settings.js';
import { clientContract, type ContractTarget } from './client.contract.js';

const numbered = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}tool-${index}`);

const AGGREGATE: ContractTarget = {
  route: '/mcp',
  named: (name) => `good__${name}`,
  tools: [...FIXTURE_TOOLS.map((tool) => `good__${tool}`), ...numbered(10, 'paged__'), ...numbered(5_000, 'many__')],
};

const SINGLE: ContractTarget = { route: '/mcp/s/good', named: (name) => name, tools: FIXTURE_TOOLS };

describe('official clients', () => {
  let hub: FixtureHub;
  let gateway: Gateway;

  before(async () => {
    hub = await FixtureHub.start();
    gateway = await startGateway({
      config: {
        mcpServers: {
          good: hub.stdio('sdk-server', 'good'),
          paged: hub.stdio('raw/many-tools', 'paged', '--count', '10', '--page', '3'),
          many: hub.stdio('raw/many-tools', 'many'),
        },
        gateway: settings(),
      },
    });
    await gateway.waitForTools(['good__echo', 'paged__tool-9', 'many__tool-4999']);
  });
  after(async () => {
    await gateway.stop();
    await hub.close();
  });

  for (const kind of CLIENTS) {
    clientContract(kind, AGGREGATE, () => ({ gateway, hub }));
    if (kind.singleUpstream) clientContract(kind, SINGLE, () => ({ gateway, hub }));
  }
});
