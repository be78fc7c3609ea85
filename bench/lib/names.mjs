// What tokens, policy and the peers' rules have in common. Without Node's modules: Workers take it too.

export const CLIENT = 'bench-client';
export const COMPANY = '1111';
export const SCOPE = 'orders/get.order';
/** A target of the route `orders-get` of ../policy.toml. */
export const TARGET = `/companies/${COMPANY}/orders/2a7f0c1e`;
