// What happened to a broadcast: read, told by the feed, or both.
import assert from "node:assert/strict";
import test from "node:test";
import { Witness, kindOf, timeline } from "../live/Witness";

const event = (at, source, run, number, change) =>
  ({ id: `${at}.${source}.${run}.${number}`, source, at: new Date(at).toISOString(), kind: "state", state: "live", ...change });

test("what the feed tells is kept for its broadcast, so much of it, until nobody is signed in; a gap is counted", () => {
  const witness = new Witness();
  let told = 0;
  witness.watch(() => told++);
  witness.note("events/B", [event(1, "control", 1, 0)]);
  witness.note("events/B", [event(2, "control", 1, 1)]);
  witness.note("events/C", [event(3, "control", 1, 0)]);
  for (const [topic, body] of [["events/B", null], ["events/B", {}], ["sender/B", []], ["alive", null]]) witness.note(topic, body);
  assert.deepEqual(witness.of("B").map(one => one.id), ["1.control.1.0", "2.control.1.1"]);
  assert.equal(witness.of("B"), witness.of("B"));
  assert.equal(witness.gaps, 0);
  witness.note("all", null);
  assert.deepEqual([witness.gaps, witness.of("B").length], [1, 2]);
  assert.equal(told, 6);
  for (let count = 0; count < 2000; count++) witness.note("events/B", [event(count, "control", 1, count)]);
  assert.equal(witness.of("B").length, 500);
  witness.note("broadcast/B", null);
  assert.deepEqual([witness.of("B").length, witness.of("C").length], [0, 1]);
  witness.note("forget", null);
  assert.equal(witness.of("C").length, 0);
});

test("what is read and told stands once, the newest first, and of one moment as it was written", () => {
  const read = [event(5, "sender", 1, 3), event(5, "control", 9, 10), event(5, "control", 9, 9), event(5, "control", 10, 0), event(1, "control", 9, 0)];
  const told = [event(5, "control", 9, 9), event(6, "control", 10, 1), event(6, "control", 10, 1)];
  assert.deepEqual(timeline(read, told).map(one => one.id), ["6.control.10.1", "5.sender.1.3", "5.control.10.0", "5.control.9.10", "5.control.9.9", "1.control.9.0"]);
  assert.deepEqual(timeline(), []);
});

test("a board says nothing in the server's name", () => {
  assert.equal(kindOf(event(1, "control", 1, 1)), "state.live");
  assert.equal(kindOf(event(1, "sender", 1, 1, { kind: "state.live" })), "state live");
  assert.equal(kindOf(event(1, "sender", 1, 1, { kind: "link_silent" })), "link_silent");
});
