// No authorisation at all: the least that a Worker in front of an origin does. Whatever decides is held against it.

import { forward } from './forward.mjs';

export default {
  fetch(request, { ORIGIN }) {
    return forward(request, ORIGIN, 'none');
  },
};
