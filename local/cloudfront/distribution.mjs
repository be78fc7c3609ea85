// A distribution as `aws cloudfront get-distribution-config` prints it: which behaviour serves a path, what that behaviour
// runs, and where it forwards to. What this stand-in does not know how to do is refused when it starts, not ignored.

/** Managed policies, by what they do here. */
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
const ORIGIN_REQUEST_POLICIES = {
  '216adef6-5c7f-47e4-b989-5492eafa07d3': { name: 'AllViewer', keepsHost: true },
  'b689b0a8-53d0-40ab-baf2-68738e2966ac': { name: 'AllViewerExceptHostHeader', keepsHost: false },
};
/** What CloudFront keeps for 10 s, whatever the cache policy says: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html. */
export const KEPT_ERRORS = [404, 405, 414, 500, 501, 502, 503, 504];
const EVENTS = ['viewer-request', 'origin-request', 'origin-response', 'viewer-response'];

export class Distribution {
  #behaviours;
  #origins;

  /** `config` is a `DistributionConfig`; `id` and `domainName` are what events say of it. */
  constructor(config, { id = 'EDFDVBD6EXAMPLE', domainName = 'd111111abcdef8.cloudfront.net' } = {}) {
    const unkept = (config.CustomErrorResponses?.Items ?? []).filter(({ ErrorCachingMinTTL: ttl }) => ttl === 0).map(({ ErrorCode: code }) => code);
    const kept = KEPT_ERRORS.filter((code) => !unkept.includes(code));
    if (kept.length > 0) throw new RangeError(`this stand-in keeps no errors, so \`ErrorCachingMinTTL\` must be 0 for ${kept.join(', ')}`);
    this.id = id;
    this.domainName = domainName;
    this.#origins = new Map((config.Origins?.Items ?? []).map((origin) => [origin.Id, readOrigin(origin)]));
    const ordered = config.CacheBehaviors?.Items ?? [];
    this.#behaviours = [...ordered, { ...config.DefaultCacheBehavior, PathPattern: '*' }].map((behaviour) => this.#readBehaviour(behaviour));
  }

  /** The first behaviour whose pattern the path fits; the last one is the default and fits all. */
  behaviourFor(path) {
    const normal = normalised(path);
    return this.#behaviours.find(({ pattern }) => pattern.test(normal));
  }

  #readBehaviour(behaviour) {
    const name = behaviour.PathPattern;
    const origin = this.#origins.get(behaviour.TargetOriginId);
    if (!origin) throw new RangeError(`behaviour \`${name}\`: no such origin \`${behaviour.TargetOriginId}\``);
    if (behaviour.CachePolicyId !== CACHING_DISABLED) throw new RangeError(`behaviour \`${name}\`: this stand-in has no cache, so it must be disabled`);
    const policy = ORIGIN_REQUEST_POLICIES[behaviour.OriginRequestPolicyId];
    if (!policy) throw new RangeError(`behaviour \`${name}\`: unknown origin request policy \`${behaviour.OriginRequestPolicyId}\``);
    const functions = {};
    for (const { EventType: event, IncludeBody: includeBody } of behaviour.LambdaFunctionAssociations?.Items ?? []) {
      if (!EVENTS.includes(event)) throw new RangeError(`behaviour \`${name}\`: no such event \`${event}\``);
      functions[event] = { includeBody: includeBody === true };
    }
    return {
      name,
      pattern: pathPattern(name),
      methods: new Set(behaviour.AllowedMethods?.Items ?? ['GET', 'HEAD']),
      keepsHost: policy.keepsHost,
      functions,
      origin,
    };
  }
}

function readOrigin(origin) {
  const custom = origin.CustomOriginConfig;
  if (!custom) throw new RangeError(`origin \`${origin.Id}\`: only custom origins are known here`);
  if (custom.OriginProtocolPolicy !== 'http-only') throw new RangeError(`origin \`${origin.Id}\`: only plain http is spoken here`);
  return {
    id: origin.Id,
    domainName: origin.DomainName,
    port: custom.HTTPPort,
    path: origin.OriginPath ?? '',
    readTimeout: custom.OriginReadTimeout ?? 30,
    keepaliveTimeout: custom.OriginKeepaliveTimeout ?? 5,
    sslProtocols: custom.OriginSslProtocols?.Items ?? ['TLSv1.2'],
    customHeaders: (origin.CustomHeaders?.Items ?? []).map(({ HeaderName: name, HeaderValue: value }) => [name, value]),
    // An empty identifier is how AWS writes that there is none.
    signs: Boolean(origin.OriginAccessControlId),
  };
}

/** `*` is any number of characters, `?` exactly one; case counts, and a leading slash may be left out. */
function pathPattern(text) {
  const full = text === '*' || text.startsWith('/') || text.startsWith('*') ? text : `/${text}`;
  const source = full.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 's');
}

/**
 * The path as CloudFront matches it: RFC 3986 section 6.2.2 (escapes of unreserved characters and dot segments). What is
 * forwarded is the path as it came.
 */
function normalised(path) {
  const plain = path.replace(/%[0-9a-fA-F]{2}/g, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase();
  });
  const segments = [];
  const parts = plain.split('/').slice(1);
  parts.forEach((part, index) => {
    const last = index === parts.length - 1;
    if (part === '..') segments.pop();
    if (part !== '.' && part !== '..') segments.push(part);
    else if (last) segments.push('');
  });
  return `/${segments.join('/')}`;
}
