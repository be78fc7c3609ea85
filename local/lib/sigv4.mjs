// AWS Signature Version 4 by AWS's own library, which shares no code with Postern: what signs as CloudFront's origin
// access control does, and what checks what Postern has signed. No presigned URLs, no chunked payloads.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import { SignatureV4 } from '@smithy/signature-v4';

/** AWS takes no signature whose date is further from its own clock. */
const MAX_SKEW_MS = 5 * 60 * 1000;
const FORM = /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
const DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

class Sha256 {
  #hash;

  constructor(secret) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret);
  }

  update(octets) {
    this.#hash.update(octets);
  }

  async digest() {
    return new Uint8Array(this.#hash.digest());
  }
}

/** The fields that a signature adds to `request`: `{ method, target, headers: { name: value }, body }`. */
export async function sign(request, { credentials, region, service, now = Date.now(), signableHeaders }) {
  const signer = new SignatureV4({
    service,
    region,
    credentials: {
      accessKeyId: credentials.access_key_id,
      secretAccessKey: credentials.secret_access_key,
      sessionToken: credentials.session_token,
    },
    sha256: Sha256,
    applyChecksum: false,
  });
  const [path, query] = split(request.target);
  const signed = await signer.sign(
    { method: request.method, protocol: 'https:', hostname: '', path, query: parameters(query), headers: { ...request.headers }, body: request.body },
    { signingDate: new Date(now), signableHeaders },
  );
  const added = {};
  for (const name of ['authorization', 'x-amz-date', 'x-amz-security-token']) if (signed.headers[name]) added[name] = signed.headers[name];
  return added;
}

/** Why the request is not rightly signed: `{ code, message }` in AWS's words, or nothing where it is. */
export async function refusal(request, { credentials, region, service, now = Date.now() }) {
  const { authorization, 'x-amz-date': date, 'x-amz-security-token': token } = request.headers;
  if (!authorization) return { code: 'MissingAuthenticationToken', message: 'Missing Authentication Token' };
  const match = FORM.exec(authorization);
  if (!match) return { code: 'IncompleteSignature', message: 'Authorization header is not of the form that is expected' };
  const [, keyId, day, statedRegion, statedService, list, signature] = match;
  if (keyId !== credentials.access_key_id) return { code: 'UnrecognizedClient', message: 'The security token included in the request is invalid.' };
  if ((credentials.session_token ?? '') !== (token ?? '')) return { code: 'UnrecognizedClient', message: 'The security token included in the request is invalid.' };
  if (statedRegion !== region || statedService !== service) return { code: 'InvalidSignature', message: 'Credential should be scoped to a valid region and service.' };
  const parts = DATE.exec(date ?? '');
  if (!parts || !date.startsWith(day)) return { code: 'IncompleteSignature', message: 'x-amz-date is missing, malformed or of another day' };
  const [year, month, ...rest] = parts.slice(1).map(Number);
  const signedAt = Date.UTC(year, month - 1, ...rest);
  if (Math.abs(signedAt - now) > MAX_SKEW_MS) return { code: 'InvalidSignature', message: `Signature expired: ${date}` };
  const names = list.split(';');
  // What is not signed could be changed on the way.
  const must = ['host', 'x-amz-date', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))];
  if (must.some((name) => !names.includes(name))) return { code: 'InvalidSignature', message: 'A header that must be signed is not' };
  const headers = Object.fromEntries(names.map((name) => [name, request.headers[name] ?? '']));
  // The library states the day itself and adds the token itself: both are as they came, or the signatures differ.
  const again = await sign({ ...request, headers }, { credentials, region, service, now: signedAt, signableHeaders: new Set(names) });
  const expected = FORM.exec(again.authorization)?.[6] ?? '';
  const same = expected.length === signature.length && timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
  return same ? undefined : { code: 'InvalidSignature', message: 'The request signature we calculated does not match the signature you provided.' };
}

export function sha256Hex(octets) {
  return createHash('sha256').update(octets).digest('hex');
}

function split(target) {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

function parameters(query) {
  const found = {};
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const at = pair.indexOf('=');
    const [name, value] = (at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]).map(decoded);
    found[name] = Object.hasOwn(found, name) ? [found[name], value].flat() : value;
  }
  return found;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
