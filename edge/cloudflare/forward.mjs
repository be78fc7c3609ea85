// Carries out what the WebAssembly has decided, on the runtime's own objects. There is no rule here: what is deleted, set
// or withheld, how long an origin may take and what is answered, comes as the text that edge/src/plan.rs describes.
import { refused, review } from "../build/postern_edge.js";

// In its own name: the entry's setTimeout watches over the instance's timers, and this one calls none.
const startTimer = globalThis.setTimeout;

// What ends the wait for an origin, other than its answer.
const LATE = Symbol("late");
const UNREACHABLE = Symbol("unreachable");

// The last answer whose review holds for every answer like it: what it rests on, and what came of it.
let reviewed = { answered: undefined, withheld: "", set: [] };

/** The request as the WebAssembly reads it: method, URL, then a line for each field. */
export function textOf(request) {
  let text = `${request.method}\n${request.url}`;
  request.headers.forEach((value, name) => {
    text += `\n${name},${value}`;
  });
  return text;
}

/** Whether the text is a plan, and not an answer. */
export const isPlan = (text) => text.startsWith("forward\n");

// A text that an instance has not finished has no end either.
function lineAt(lines, at) {
  if (at >= lines.length) throw new Error("what was said breaks off");
  return lines[at];
}

/** The answer that a text describes. */
export function answer(text) {
  const lines = text.split("\n");
  const headers = new Headers();
  let at = 1;
  for (; lineAt(lines, at) !== ""; at += 2) headers.set(lines[at], lines[at + 1]);
  const body = lines.slice(at + 1).join("\n");
  return new Response(body === "" ? null : body, { status: Number(lines[0]), headers });
}

/**
 * Sends the request on as planned, with the body that was read or else its own, and gives the origin's answer.
 *
 * `end` fulfils `ended`, which whoever gives up the request fulfils with undefined; so is then the outcome.
 */
export async function forward(plan, octets, request, { ended, end }) {
  const lines = plan.split("\n");
  const [, method, url, bodyRule, limits, , , , deleted, vary] = lines;
  const body = bodyRule === "empty" ? null : (octets ?? request.body);
  if (bodyRule === "refused" && body !== null) return answer(refused(plan, "body"));
  const [withoutBody, withBody] = limits.split(",");
  let sent;
  let at = 10;
  try {
    const headers = new Headers(request.headers);
    if (deleted !== "") for (const name of deleted.split(",")) headers.delete(name);
    for (; lineAt(lines, at) !== ""; at += 2) headers.set(lines[at], lines[at + 1]);
    sent = fetch(url, { method, headers, body, redirect: "manual", cache: "no-store" });
  } catch {
    return answer(refused(plan, "unsendable"));
  }
  const timer = startTimer(end, Number(body === null ? withoutBody : withBody), LATE);
  sent.then(end, () => end(UNREACHABLE));
  const outcome = await ended;
  clearTimeout(timer);
  if (outcome === undefined) return undefined;
  if (outcome === LATE) return answer(refused(plan, "late"));
  if (outcome === UNREACHABLE) return answer(refused(plan, "unreachable"));
  return passedOn(outcome, plan, lines, at + 1, vary);
}

// The origin's own answer where there is nothing to withhold and nothing to set: the runtime then streams it by itself.
function passedOn(response, plan, lines, firstField, vary) {
  let answered = `${response.status}\n${vary}`;
  response.headers.forEach((value, name) => {
    answered += name === "vary" ? `\n${name},${value}` : `\n${name}`;
  });
  let { withheld, set } = reviewed;
  if (answered !== reviewed.answered) {
    let fields = "";
    response.headers.forEach((value, name) => {
      fields += `\n${name},${value}`;
    });
    const verdict = review(plan, response.status, fields);
    let holds;
    [holds, withheld, ...set] = verdict.split("\n");
    if (holds === "always") reviewed = { answered, withheld, set };
    else if (holds !== "once") return answer(verdict);
  }
  if (withheld === "" && set.length === 0 && firstField === lines.length) return response;
  // A response is a ResponseInit too: status, status text and fields are copied, repeated ones each.
  let copy;
  try {
    copy = new Response(response.body, response);
  } catch {
    // Such as a status text that came and may not be sent.
    return answer(refused(plan, "unpassable"));
  }
  if (withheld !== "") for (const name of withheld.split(",")) copy.headers.delete(name);
  for (let at = 0; at < set.length; at += 2) copy.headers.set(set[at], set[at + 1]);
  for (let at = firstField; at < lines.length; at += 2) copy.headers.set(lines[at], lines[at + 1]);
  return copy;
}
