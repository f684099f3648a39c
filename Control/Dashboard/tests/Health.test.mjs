// How the server was, a line for each stretch of time.
import assert from "node:assert/strict";
import test from "node:test";
import { stretches } from "../pages/stretches";

const check = (id, status, probes) => ({ id, at: `t${id}`, occasion: "scheduled", status, probes });
const probe = (name, status, latencyMs, detail) => ({ name, status, latencyMs, ...(detail && { detail }) });

test("checks that said the same are one stretch, whatever their figures, and one that is read twice counts once", () => {
  const well = id => check(id, "healthy", [probe("database", "healthy", Number(id)), probe("disk", "healthy", 1)]);
  const full = (id, free) => check(id, "degraded", [probe("database", "healthy", 1), probe("disk", "degraded", 1, `${free} MiB are free`)]);
  const told = stretches([well("7"), full("6", 900), full("5", 901), full("5", 901), well("4"), well("3"), check("2", "unhealthy", [probe("mail", "unhealthy", 9)]), well("1")]);
  assert.deepEqual(told.map(({ id, from, to, status, detail, checks, slowestMs }) => [id, from, to, status, detail, checks, slowestMs]), [
    ["7", "t7", "t7", "healthy", "", 1, 7], ["6", "t5", "t6", "degraded", "disk: 900 MiB are free", 2, 1], ["4", "t3", "t4", "healthy", "", 2, 4],
    ["2", "t2", "t2", "unhealthy", "mail: unhealthy", 1, 9], ["1", "t1", "t1", "healthy", "", 1, 1],
  ]);
  assert.deepEqual(stretches([]), []);
});
