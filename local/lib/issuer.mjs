// One local token issuer: an `oidc-provider` behind a server of ours, so that its keys can be rotated, its key set
// counted and made to fail while requests flow. A development stand-in for a real identity provider: nothing here is
// hardened, and it listens on the loopback interface only.

import * as crypto from 'node:crypto';
import * as http from 'node:http';

import Provider from 'oidc-provider';

import { generateKey, privateJwk, publicJwk } from './keys.mjs';
import { closeServer, listen } from './listen.mjs';
import { storeAdapter } from './store.mjs';

const DEFAULT_CACHE_CONTROL = 'public, max-age=300';
const ACCESS_TOKEN_SECONDS = 3600;
const SESSION_SECONDS = 600;

/** As in Cognito's access tokens. The provider insists on an audience, so that it gets one that JSON leaves out. */
function leaveOutAudience(_context, _token, jwt) {
  jwt.payload.aud = { toJSON: () => undefined };
}

export class Issuer {
  #config;
  #cookieKeys = [crypto.randomBytes(32).toString('base64url')];
  #adapter = storeAdapter();
  #first;
  #server;
  #handler;
  #signing;
  #published;
  #fault;
  #cacheControl;

  /** `config`: `{ name, port, resource, sendsAudience, scopes, clients, login, corsOrigins }`; see issuers.mjs. */
  constructor(config) {
    this.#config = config;
    this.name = config.name;
    this.url = `http://127.0.0.1:${config.port}`;
    this.jwksFetches = 0;
    this.#first = generateKey('RS256');
    this.#useKeys(this.#first, [this.#first]);
    this.#serveKeys();
  }

  get signingKey() {
    return this.#signing;
  }

  get config() {
    return this.#config;
  }

  async start() {
    if (this.#server) return;
    this.#server = http.createServer((request, response) => this.#handle(request, response));
    await listen(this.#server, this.#config.port);
  }

  async stop() {
    const server = this.#server;
    this.#server = undefined;
    if (server) await closeServer(server);
  }

  /** Signs with a new key from now on; `replace` takes all others out of the key set at once. */
  rotate(kind, algorithm) {
    if (kind !== 'replace' && kind !== 'add') throw new RangeError('`kind` must be `replace` or `add`');
    const key = generateKey(algorithm);
    this.#useKeys(key, kind === 'add' ? [...this.#published, key] : [key]);
    return { kid: key.kid, algorithm };
  }

  withdraw(kid) {
    if (kid === this.#signing.kid) throw new RangeError('the signing key cannot be withdrawn, rotate it');
    if (!this.#published.some((key) => key.kid === kid)) throw new RangeError('no such `kid` is published');
    this.#published = this.#published.filter((key) => key.kid !== kid);
  }

  /** How `/jwks` answers from now on. */
  async setJwks({ mode = 'serve', status = 500, body = '', contentType = 'text/html', cacheControl }) {
    if (!['serve', 'status', 'hang', 'refuse', 'body'].includes(mode)) throw new RangeError(`unknown mode \`${mode}\``);
    if (cacheControl !== undefined) this.#cacheControl = cacheControl;
    this.#fault = { mode, status, body, contentType };
    if (mode === 'refuse') await this.stop();
    else await this.start();
  }

  async reset() {
    if (this.#signing !== this.#first || this.#published.length !== 1) this.#useKeys(this.#first, [this.#first]);
    this.#serveKeys();
    await this.start();
  }

  describe() {
    return {
      url: this.url,
      jwksFetches: this.jwksFetches,
      mode: this.#fault.mode,
      keys: this.#published.map(({ kid, algorithm }) => ({ kid, algorithm, signing: kid === this.#signing.kid })),
    };
  }

  #serveKeys() {
    this.#fault = { mode: 'serve' };
    this.#cacheControl = DEFAULT_CACHE_CONTROL;
  }

  // A provider cannot change its keys, so a new one takes over; all share one store, so a code issued before the change
  // can still be redeemed after it.
  #useKeys(signing, published) {
    this.#signing = signing;
    this.#published = published;
    const { config } = this;
    const provider = new Provider(this.url, {
      adapter: this.#adapter,
      clients: config.clients,
      clientDefaults: { id_token_signed_response_alg: signing.algorithm },
      jwks: { keys: [privateJwk(signing)] },
      cookies: { keys: this.#cookieKeys },
      scopes: ['openid', ...config.scopes],
      responseTypes: ['code'],
      pkce: { required: () => true },
      ttl: {
        AccessToken: ACCESS_TOKEN_SECONDS,
        ClientCredentials: ACCESS_TOKEN_SECONDS,
        Grant: SESSION_SECONDS,
        IdToken: ACCESS_TOKEN_SECONDS,
        Interaction: SESSION_SECONDS,
        Session: SESSION_SECONDS,
      },
      clientBasedCORS: (_context, origin) => config.corsOrigins.includes(origin),
      extraTokenClaims: (_context, token) => ({
        token_use: 'access',
        ...(token.accountId ? { username: token.accountId } : undefined),
      }),
      findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, token_use: 'id' }) }),
      // Whoever signs in has agreed: there is no consent page.
      loadExistingGrant: async (context) => {
        const grant = new context.oidc.provider.Grant({
          clientId: context.oidc.client.clientId,
          accountId: context.oidc.session.accountId,
        });
        grant.addOIDCScope(['openid', ...config.scopes].join(' '));
        grant.addResourceScope(config.resource, config.scopes.join(' '));
        await grant.save();
        return grant;
      },
      formats: { customizers: config.sendsAudience ? {} : { jwt: leaveOutAudience } },
      interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        rpInitiatedLogout: { enabled: false },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => config.resource,
          useGrantedResource: () => true,
          getResourceServerInfo: () => ({
            scope: config.scopes.join(' '),
            audience: config.resource,
            accessTokenFormat: 'jwt',
            accessTokenTTL: ACCESS_TOKEN_SECONDS,
            jwt: { sign: { alg: signing.algorithm, kid: signing.kid } },
          }),
        },
      },
    });
    provider.on('server_error', (_context, error) => console.error(`${config.name}: ${error.stack}`));
    const callback = provider.callback();
    this.#handler = (request, response) => {
      if (config.login && request.url.startsWith('/interaction/')) config.login(provider, request, response);
      else callback(request, response);
    };
  }

  #handle(request, response) {
    if (request.url.split('?')[0] !== '/jwks') {
      this.#handler(request, response);
      return;
    }
    this.jwksFetches += 1;
    const { mode, status, body, contentType } = this.#fault;
    if (mode === 'hang') return;
    if (mode === 'status' || mode === 'body') {
      response.writeHead(mode === 'status' ? status : 200, { 'content-type': contentType, 'cache-control': this.#cacheControl });
      response.end(body);
      return;
    }
    response.writeHead(200, { 'content-type': 'application/jwk-set+json', 'cache-control': this.#cacheControl });
    response.end(JSON.stringify({ keys: this.#published.map(publicJwk) }));
  }
}
