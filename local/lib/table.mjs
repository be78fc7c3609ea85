// The permissions table of the local stack, spoken to as DynamoDB's own JSON protocol (`DynamoDB_20120810`).
// The stand-in wants a signature to be present and does not check it, so none is computed.

const TIMEOUT_MS = 10_000;
const POLL_MS = 10;

/** Who may do what in the example; `user-unseeded` is left out on purpose. */
const SEED = [
  { id: 'user-manager', companies: ['1111'], role: 'Manager' },
  { id: 'user-standard', companies: ['1111'], role: 'Standard' },
  { id: 'user-percompany', companies: { 1111: ['Manager'], 2222: ['Standard'] }, version: 1 },
  { id: 'auth0|pipe', companies: ['1111'], role: 'Manager' },
];

export class Table {
  #url;
  #name;

  constructor(url, name) {
    this.#url = url;
    this.#name = name;
  }

  async create() {
    const { TableNames } = await this.#call('ListTables', {});
    if (TableNames.includes(this.#name)) return;
    await this.#call('CreateTable', {
      TableName: this.#name,
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    });
    // A table that is still being made is not found by what would use it.
    for (let waited = 0; !(await this.#isActive()); waited += POLL_MS) {
      if (waited >= TIMEOUT_MS) throw new Error(`the table ${this.#name} is not active after ${TIMEOUT_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #isActive() {
    const { Table } = await this.#call('DescribeTable', { TableName: this.#name });
    return Table.TableStatus === 'ACTIVE';
  }

  /** Leaves exactly the seed in the table. */
  async reset() {
    const { Items } = await this.#call('Scan', { TableName: this.#name });
    const kept = new Set(SEED.map(({ id }) => id));
    for (const { id } of Items) if (!kept.has(id.S)) await this.remove(id.S);
    for (const record of SEED) await this.put(record);
  }

  async read(id) {
    const { Item } = await this.#call('GetItem', { TableName: this.#name, Key: { id: { S: id } }, ConsistentRead: true });
    return Item ? unmarshal({ M: Item }) : null;
  }

  async put(record) {
    await this.#call('PutItem', { TableName: this.#name, Item: marshal(record).M });
  }

  async remove(id) {
    await this.#call('DeleteItem', { TableName: this.#name, Key: { id: { S: id } } });
  }

  async #call(operation, body) {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
        'x-amz-date': '20260101T000000Z',
        authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-2/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`${operation} answered ${response.status}: ${answer.message ?? answer.__type}`);
    return answer;
  }
}

/** A JSON value as a DynamoDB attribute value. */
function marshal(value) {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value === null) return { NULL: true };
  if (Array.isArray(value)) return { L: value.map(marshal) };
  return { M: Object.fromEntries(Object.entries(value).map(([name, member]) => [name, marshal(member)])) };
}

function unmarshal(attribute) {
  const [[type, value]] = Object.entries(attribute);
  switch (type) {
    case 'N':
      return Number(value);
    case 'NULL':
      return null;
    case 'L':
      return value.map(unmarshal);
    case 'M':
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, unmarshal(member)]));
    default:
      return value;
  }
}
