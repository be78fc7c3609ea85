"use strict";
// Takes what is decided on out of a viewer's request, and changes the request as was decided: so the event's JSON need
// neither be written nor read again, and what goes on is what came.
//
// It judges shapes alone, and all of them: what is not just as CloudFront sends it, and what it has no place for (a body,
// an origin), is `undefined`, and the WebAssembly then reads the whole event, which has the rules (edge/src/event).

// Above what CloudFront lets through ("Quotas": 20,480 octets for the request line and all fields).
const MAX_LENGTH = 64 * 1024;

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value) => typeof value === "string";
const isOptional = (value) => value === undefined || typeof value === "string";

/** The request of a viewer-request event, as lines and their number; or `undefined`. */
exports.read = (event) => {
  const records = event?.Records;
  if (!Array.isArray(records) || records.length !== 1) return undefined;
  const { config, request } = records[0]?.cf ?? {};
  if (!isObject(config) || !isObject(request) || config.eventType !== "viewer-request") return undefined;
  const { requestId, distributionId } = config;
  if (!isOptional(requestId) || !isOptional(distributionId)) return undefined;
  const { method, uri, querystring, clientIp, headers, body, origin } = request;
  if (!isText(method) || !isText(uri) || !isText(querystring) || !isOptional(clientIp)) return undefined;
  if (!isObject(headers) || body !== undefined || origin !== undefined) return undefined;
  let text = `${method}\n${uri}\n${querystring}\n${requestId ?? ""}`;
  let count = 4;
  for (const name of Object.keys(headers)) {
    const fields = headers[name];
    if (!Array.isArray(fields) || fields.length === 0) return undefined;
    for (const field of fields) {
      if (!isObject(field)) return undefined;
      const { key = name, value } = field;
      if (!isText(key) || !isText(value)) return undefined;
      text += `\n${name}\n${key}\n${value}`;
      count += 3;
    }
  }
  return text.length > MAX_LENGTH ? undefined : { request, text, count };
};

/** The request to go on with: as it came, but for what the lines say. */
exports.changed = (request, changes) => {
  const lines = changes.split("\n");
  const headers = { ...request.headers };
  if (lines[0] !== "") for (const name of lines[0].split(",")) delete headers[name];
  for (let line = 1; line < lines.length; line += 2) {
    const key = lines[line];
    headers[key.toLowerCase()] = [{ key, value: lines[line + 1] }];
  }
  return { ...request, headers };
};

const encoder = new TextEncoder();

/** For the WebAssembly: a text's octets into its memory, as many as have room. */
exports.write = (text, into) => encoder.encodeInto(text, into).written;

/** For the WebAssembly: the text of octets that are ASCII. */
exports.ascii = ({ buffer, byteOffset, length }) => Buffer.from(buffer, byteOffset, length).latin1Slice();
