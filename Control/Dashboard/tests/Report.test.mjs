// What a page tells of its own errors.
import assert from "node:assert/strict";
import test from "node:test";
import { Fault } from "../api/Fault";
import { Reports } from "../api/Report";

/** With what was sent instead of a server. */
async function listening(body, answer = async () => Response.json({ id: "1" }, { status: 201 })) {
  const sent = [], real = globalThis.fetch;
  globalThis.fetch = (url, options) => { sent.push({ url, ...options, body: JSON.parse(options.body) }); return answer(); };
  globalThis.location = { pathname: "/senders/01ARZ3NDEKTSV4RRFFQ69G5FAV" };
  try {
    await body(new Reports({ token: "T" }), sent);
  } finally {
    globalThis.fetch = real;
    delete globalThis.location;
  }
}

test("an error is told once, cut to what the server takes, with the token of whoever is signed in", () => listening(async (reports, sent) => {
  const error = new TypeError("x".repeat(3000));
  reports.tell("render", error);
  reports.tell("error", error);
  reports.tell("rejection", "a text");
  assert.equal(sent.length, 2);
  const [{ url, method, headers, body, keepalive }, second] = sent;
  assert.deepEqual([url, method, keepalive, headers.Authorization], ["/api/v1/errors", "POST", true, "Bearer T"]);
  assert.deepEqual([body.kind, body.name, body.message.length, body.path], ["render", "TypeError", 1000, "/senders/01ARZ3NDEKTSV4RRFFQ69G5FAV"]);
  assert.ok(body.stack.length <= 8000);
  assert.deepEqual([second.body.kind, second.body.name, second.body.message, "stack" in second.body], ["rejection", "Error", "a text", false]);
}));

test("what a request ended with and what was given up is told to nobody, and no page tells more than ten things", () => listening(async (reports, sent) => {
  reports.tell("rejection", new Fault("unreachable", "away"));
  reports.tell("rejection", new DOMException("left", "AbortError"));
  assert.equal(sent.length, 0);
  reports.tell("error", new Fault("program", "ours"));
  for (let count = 0; count < 50; count++) reports.tell("error", new Error(`${count}`));
  assert.equal(sent.length, Reports.limit);
}));

test("what happened before goes with it, the newest of it, each with its age, and a step that is told again is one", () => listening(async (reports, sent) => {
  for (let step = 0; step < 30; step++) for (let again = 0; again < 2; again++) reports.note(`step ${step}`);
  reports.tell("media", new Error("no camera"));
  const { kind, trail } = sent[0].body;
  assert.deepEqual([kind, trail.length, trail[0].text, trail.at(-1).text], ["media", Reports.steps, "step 10", "step 29"]);
  assert.ok(trail.every(({ msAgo }) => msAgo >= 0 && msAgo < 60_000));
}));

test("a server that is away makes no second error", () => listening(async (reports, sent) => {
  reports.tell("error", new Error("one"));
  await new Promise(done => setTimeout(done, 10));
  assert.equal(sent.length, 1);
}, async () => { throw new TypeError("away"); }));
