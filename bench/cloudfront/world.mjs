// What a function at CloudFront asks: the issuer's keys, and Secrets Manager, on one loopback port.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { issuer } from '../lib/fixture.mjs';

/** Starts it; `secrets` names what the secret's members are called. */
export async function world(secrets) {
  const key = () => ({ kty: 'oct', kid: 'bench', alg: 'HS256', k: randomBytes(32).toString('base64url') });
  const values = JSON.stringify(Object.fromEntries(secrets.map((name) => [name, { keys: [key()] }])));
  const answers = {};
  const server = createServer((request, response) => {
    const answer = answers[request.url];
    request.resume();
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const users = issuer(url);
  answers['/jwks'] = users.jwks;
  answers['/'] = { SecretString: values };
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url, jwksUrl: `${url}/jwks`, issuer: users, close };
}
