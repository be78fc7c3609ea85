// The issuers of the local stack: `partners` (client credentials) and `users` (code with PKCE), each an oidc-provider of
// its own; beside them, in the same process, what tests steer them with: the control API, the relays and two pages.
//
//     node issuers.mjs CONFIG.json
//
// CONFIG.json: { resource, scopes, table, ports: { partners, users, control, page, strangerPage },
//                partners: { CLIENT: { secret, scopes } }, userClient, dynamodb: PORT,
//                relays: { NAME: { port, target } } }

import { readFileSync } from 'node:fs';

import { startControl } from './lib/control.mjs';
import { Issuer } from './lib/issuer.mjs';
import { loginPage } from './lib/login.mjs';
import { startPage } from './lib/page.mjs';
import { Relay } from './lib/relay.mjs';
import { Table } from './lib/table.mjs';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { ports, resource, scopes } = config;
const page = `http://127.0.0.1:${ports.page}`;
const redirectUri = `${page}/callback`;

const partners = new Issuer({
  name: 'partners',
  port: ports.partners,
  resource,
  sendsAudience: true,
  scopes,
  corsOrigins: [],
  clients: Object.entries(config.partners).map(([id, client]) => ({
    client_id: id,
    client_secret: client.secret,
    scope: client.scopes.join(' '),
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  })),
});

const users = new Issuer({
  name: 'users',
  port: ports.users,
  resource,
  // It stands for a Cognito user pool.
  sendsAudience: false,
  scopes,
  login: loginPage,
  corsOrigins: [page],
  clients: [{
    client_id: config.userClient,
    // A public client, as an application in a browser is: PKCE is what protects its code.
    token_endpoint_auth_method: 'none',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    scope: ['openid', ...scopes].join(' '),
  }],
});

const relays = Object.fromEntries(Object.entries(config.relays).map(([name, { port, target }]) => [name, new Relay(port, target)]));
const table = new Table(`http://127.0.0.1:${config.dynamodb}`, config.table);

try {
  await table.create();
  await table.reset();
  await Promise.all([partners.start(), users.start(), startPage(ports.page), startPage(ports.strangerPage)]);
  await Promise.all(Object.values(relays).map((relay) => relay.start()));
  // Last, because its answer is what says that all of it is there.
  await startControl(ports.control, { issuers: { partners, users }, relays, table, redirectUri });
} catch (error) {
  console.error(`cannot start: ${error.message}`);
  process.exit(1);
}
console.log(`partners ${partners.url}, users ${users.url}, control http://127.0.0.1:${ports.control}`);

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
