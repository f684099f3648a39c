// The client against a server that stands for control: it answers as the API says, and counts.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import test from "node:test";
import { Access } from "../api/Access";
import { Client } from "../api/Client";

/** `refresh`: the status that refreshing ends with. `throttled`: how many reads are refused for their number first. */
async function served({ refresh = 200, throttled = 0 }, body) {
  let refreshes = 0, reads = 0;
  const server = createServer((request, response) => {
    const answer = (status, value, headers = {}) => response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(value));
    const problem = (status, kind, headers) => answer(status, { type: `https://strata.invalid/problems/${kind}`, title: kind, status }, headers);
    if (request.url === "/api/v1/auth/refresh") {
      refreshes++;
      // Long enough that all callers wait for the same one.
      return setTimeout(() => refresh === 200 ? answer(200, { accessToken: "new", may: [], user: { id: "one" } }) : problem(refresh, "x"), 100);
    }
    if (request.headers.authorization !== "Bearer new") return problem(401, "not-signed-in");
    if (++reads <= throttled) return problem(429, "too-many-requests", { "Retry-After": "1" });
    return answer(200, { items: [], url: request.url });
  });
  await new Promise(ready => server.listen(0, "127.0.0.1", ready));
  const real = globalThis.fetch, base = `http://127.0.0.1:${server.address().port}`;
  globalThis.fetch = (path, options) => real(base + path, options);
  const access = new Access();
  access.enter({ accessToken: "old", may: [], user: { id: "one" } });
  try {
    await body(new Client(access), access, () => refreshes);
  } finally {
    globalThis.fetch = real;
    server.close();
    server.closeAllConnections();
  }
}

test("an old token is renewed once for however many callers, and all are answered", () => served({}, async (client, access, refreshes) => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => client.call("getSenders", {})));
  assert.equal(answers.filter(answer => Array.isArray(answer.items)).length, 20);
  assert.equal(refreshes(), 1);
  assert.equal(access.token, "new");
}));

test("who is refused is asked to sign in again, and no token is sent any more", () => served({ refresh: 401 }, async (client, access) => {
  await assert.rejects(client.call("getSenders", {}), { kind: "not-signed-in", status: 401 });
  assert.equal(access.state.is, "expired");
  assert.equal(access.token, null);
}));

test("a server that cannot renew signs nobody out", () => served({ refresh: 503 }, async (client, access) => {
  await assert.rejects(client.call("getSenders", {}), { status: 503 });
  assert.equal(access.state.is, "in");
}));

test("a read waits as it is told to and is tried once more; a wish is not", () => served({ throttled: 1 }, async (client, access) => {
  access.enter({ accessToken: "new", may: [], user: { id: "one" } });
  const began = performance.now();
  await client.call("getSenders", {});
  assert.ok(performance.now() - began >= 900);
}));

test("a wish that is refused for its number says how long to wait", () => served({ throttled: 1 }, async (client, access) => {
  access.enter({ accessToken: "new", may: [], user: { id: "one" } });
  await assert.rejects(client.call("postBroadcastsByIdStop", { id: "x" }), { kind: "too-many-requests", retryAfter: 1 });
}));

test("what is no part of the path goes into the query", () => served({}, async (client, access) => {
  access.enter({ accessToken: "new", may: [], user: { id: "one" } });
  const { url } = await client.call("getBroadcastsByIdEvents", { id: "a b", after: "1.x&y", limit: "5" });
  assert.equal(url, "/api/v1/broadcasts/a%20b/events?after=1.x%26y&limit=5");
  assert.equal((await client.call("getSenders", {})).url, "/api/v1/senders");
}));
