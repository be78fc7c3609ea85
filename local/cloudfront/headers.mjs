// Header fields in the two shapes that are needed here: pairs in the order in which they came, and the lists by lower-case
// name that events and answers have.

/** `[[name, value], …]` of Node's flat `rawHeaders`. */
export function pairs(raw) {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index], raw[2 * index + 1]]);
}

/** The lists of an event: repeated fields stay repeated. */
export function toLists(fields) {
  const lists = {};
  for (const [key, value] of fields) {
    const name = key.toLowerCase();
    if (!Object.hasOwn(lists, name)) lists[name] = [];
    lists[name].push({ key, value });
  }
  return lists;
}

export function fromLists(lists) {
  return Object.values(lists).flat().map(({ key, value }) => [key, value]);
}

export function valueOf(fields, name) {
  return fields.find(([key]) => key.toLowerCase() === name)?.[1];
}

export function without(fields, isGone) {
  return fields.filter(([key]) => !isGone(key.toLowerCase()));
}

/**
 * Octets as an event has them: UTF-8 where they are that, otherwise taken for ISO 8859-1 (edge-function-restrictions-all,
 * «URI, query string, and headers encoding»). Node hands over each octet as a character.
 */
export function toText(latin1) {
  const octets = Buffer.from(latin1, 'latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return latin1;
  }
}

/** Back to a string of octets, as Node writes it. */
export function toOctets(text) {
  return Buffer.from(text, 'utf8').toString('latin1');
}
