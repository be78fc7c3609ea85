// Where an issuer keeps codes, sessions and grants: in memory, for one run. The interface is oidc-provider's adapter.

/** A new store; the provider makes one adapter for each kind of thing. */
export function storeAdapter() {
  const things = new Map();
  return (kind) => new Adapter(things, kind);
}

class Adapter {
  #things;
  #kind;

  constructor(things, kind) {
    this.#things = things;
    this.#kind = kind;
  }

  async upsert(id, payload, expiresIn) {
    this.#sweep();
    this.#things.set(this.#key(id), { payload, expiresAt: Date.now() + (expiresIn ?? Infinity) * 1000 });
  }

  async find(id) {
    const thing = this.#things.get(this.#key(id));
    return thing && thing.expiresAt > Date.now() ? thing.payload : undefined;
  }

  async findByUid(uid) {
    return this.#findBy('uid', uid);
  }

  async findByUserCode(userCode) {
    return this.#findBy('userCode', userCode);
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.#things.delete(this.#key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, { payload }] of this.#things) if (payload.grantId === grantId) this.#things.delete(key);
  }

  #key(id) {
    return `${this.#kind}:${id}`;
  }

  #findBy(field, value) {
    const now = Date.now();
    for (const [key, { payload, expiresAt }] of this.#things) {
      if (key.startsWith(`${this.#kind}:`) && payload[field] === value && expiresAt > now) return payload;
    }
    return undefined;
  }

  #sweep() {
    const now = Date.now();
    for (const [key, { expiresAt }] of this.#things) if (expiresAt <= now) this.#things.delete(key);
  }
}
