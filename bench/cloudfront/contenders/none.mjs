// No authorisation at all: what handing an event through and setting one field costs.

import { FIELD } from '../../lib/rules.mjs';

const KEY = FIELD.toLowerCase();

export const handler = async (event) => {
  const { request } = event.Records[0].cf;
  request.headers[KEY] = [{ key: FIELD, value: 'none' }];
  return request;
};
