// A viewer-request event as CloudFront makes it («Lambda@Edge event structure»), with the fields that a browser's script
// sends; as text, since the runtime's interface hands it over so and every call has an event of its own.

const FIELDS = [
  ['Host', 'd111111abcdef8.cloudfront.net'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'],
  ['Accept', 'application/json'],
  ['Accept-Language', 'en-GB,en;q=0.9'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Referer', 'https://app.bench.example/orders'],
  ['Sec-Fetch-Mode', 'cors'],
  ['Sec-Fetch-Site', 'cross-site'],
  ['X-Forwarded-For', '203.0.113.178'],
];

/** The event's text; `token` may be left out. */
export function event({ method = 'GET', uri, token }) {
  const fields = token === undefined ? FIELDS : [...FIELDS, ['Authorization', `Bearer ${token}`]];
  const headers = Object.fromEntries(fields.map(([key, value]) => [key.toLowerCase(), [{ key, value }]]));
  const config = {
    distributionDomainName: 'd111111abcdef8.cloudfront.net',
    distributionId: 'EDFDVBD6EXAMPLE',
    eventType: 'viewer-request',
    requestId: '4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==',
  };
  const request = { clientIp: '203.0.113.178', headers, method, querystring: '', uri };
  return JSON.stringify({ Records: [{ cf: { config, request } }] });
}
