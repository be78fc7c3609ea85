// A local CloudFront with what belongs to it: the front, the function's containers, function URLs that want signatures,
// and a Secrets Manager.
//
//     node cloudfront.mjs CONFIG.json
//
// CONFIG.json: { ports: { front, control, secrets, functionUrl }, package: FOLDER, distribution: CONFIG,
//                secret: { arn, values }, region, functionUrlTarget: PORT,
//                credentials: { function, accessControl, worker }, environment: { NAME: VALUE } }
//
// Each of the credentials is { access_key_id, secret_access_key, session_token? }. `package` holds what Lambda would
// have unpacked.

import { readFileSync } from 'node:fs';

import { Containers } from './cloudfront/containers.mjs';
import { startControl } from './cloudfront/control.mjs';
import { Distribution } from './cloudfront/distribution.mjs';
import { Front } from './cloudfront/front.mjs';
import { IamUrl } from './lib/iam-url.mjs';
import { SecretsManager } from './lib/secrets-manager.mjs';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { ports, credentials } = config;

/** Lambda's own variables and nothing else: Lambda@Edge lets nobody set more. */
const environment = {
  AWS_ACCESS_KEY_ID: credentials.function.access_key_id,
  AWS_SECRET_ACCESS_KEY: credentials.function.secret_access_key,
  AWS_SESSION_TOKEN: credentials.function.session_token,
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  AWS_LAMBDA_FUNCTION_NAME: 'us-east-1.postern-edge',
  AWS_LAMBDA_FUNCTION_VERSION: '1',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
  AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  LAMBDA_TASK_ROOT: config.package,
  TZ: ':UTC',
  // Of no use to a package that is deployed, and refused there; see `cargo xtask package`.
  ...config.environment,
};

const containers = new Containers({ folder: config.package, environment });
const access = { credentials: credentials.accessControl, region: config.region };
const front = new Front({ distribution: new Distribution(config.distribution), containers, access });
const secrets = new SecretsManager({ port: ports.secrets, credentials: credentials.function, ...config.secret });
const functionUrl = new IamUrl({
  port: ports.functionUrl,
  target: config.functionUrlTarget,
  signers: [credentials.accessControl, credentials.worker],
  region: config.region,
});

process.on('exit', () => containers.killNow());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(0));

try {
  await Promise.all([secrets.start(), functionUrl.start(), front.listen(ports.front)]);
  // Last, because its answer is what says that all of it is there.
  await startControl(ports.control, { front, containers, secrets, functionUrl, distribution: config.distribution });
} catch (error) {
  console.error(`cannot start: ${error.message}`);
  process.exit(1);
}
console.log(`front http://127.0.0.1:${ports.front}, control http://127.0.0.1:${ports.control}`);
