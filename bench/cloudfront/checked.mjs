// Starts each contender and sees, before anything is measured, that it decides as the policy says: what permits for
// another reason, or refuses everything, would be fast.

import { COMPANY, TARGET } from '../lib/fixture.mjs';
import { Container } from './contenders.mjs';
import { event } from './event.mjs';

/** The containers by name, checked and running. */
export async function checked(files, world) {
  const running = {};
  for (const [name, file] of Object.entries(files)) {
    running[name] = await Container.start(file, world);
    if (name !== 'no authorisation') await check(name, running[name], world);
  }
  return running;
}

async function check(name, container, world) {
  const token = world.issuer.token(0);
  const cut = token.slice(0, -8);
  const other = world.issuer.token(1).split('.');
  // A signature of another token's.
  const moved = [...token.split('.').slice(0, 2), other[2]].join('.');
  const cases = [
    ['a good token', { uri: TARGET, token }, undefined],
    ['the same again', { uri: TARGET, token }, undefined],
    ['no token', { uri: TARGET }, '401'],
    ['a cut token', { uri: TARGET, token: cut }, '401'],
    ["another's signature", { uri: TARGET, token: moved }, '401'],
    ['another company', { uri: TARGET.replace(COMPANY, '9999'), token }, '403'],
    ['a scope that is missing', { method: 'POST', uri: `/companies/${COMPANY}/vouchers/v/validations`, token }, '403'],
    ['another user', { uri: `/companies/${COMPANY}/users/nobody/orders`, token }, '403'],
    ['no route', { uri: '/elsewhere', token }, '404'],
  ];
  const answers = await container.ask('answer', { texts: cases.map(([, request]) => event(request)) });
  cases.forEach(([what, , expected], index) => {
    const { status, headers } = answers[index];
    const isSet = Object.keys(headers ?? {}).some((key) => key.startsWith('postern-'));
    if (status !== expected || (expected === undefined && !isSet)) {
      throw new Error(`${name} answers ${status ?? 'with the request'} to ${what}, not ${expected ?? 'with it and a field'}`);
    }
  });
}
