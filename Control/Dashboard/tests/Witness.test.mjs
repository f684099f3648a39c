// What a page has seen of a broadcast, and what a flight recorder tells.
import assert from "node:assert/strict";
import test from "node:test";
import { Witness, recorded } from "../live/Witness";

const look = change => ({ id: "B", state: "live", encoder: { bitrate: 1 }, input: { video: "test" }, outputs: [], ...change });
const output = (state, reason) => ({ id: "O", name: "show", report: { state, reason } });

test("what differs between two looks is an event, and figures are none", () => {
  const witness = new Witness();
  let last, told = 0;
  witness.watch(() => told++);
  const see = change => {
    const now = look(change);
    witness.note("broadcast/B", now, last, 7);
    last = now;
  };
  see({ state: "starting", outputs: [output("connecting")] });
  see({ outputs: [output("connected")], ingest: { bitrate: 1 } });
  see({ outputs: [output("connected")], ingest: { bitrate: 2 } });
  see({ state: "interrupted", reason: "no media", outputs: [output("retrying", "refused")], ingest: { bitrate: 0, slateMs: 10 } });
  see({ outputs: [], encoder: { bitrate: 2 } });
  see({ state: "ended", reason: "stopped", endedAt: "x", encoder: { bitrate: 2 } });
  assert.deepEqual(witness.of("B").map(one => [one.what, one.subject, one.reason].filter(Boolean).join(" ")), [
    "state.live", "output.connected show", "state.interrupted no media", "output.retrying show refused", "slate.shown",
    "state.live", "output.removed show", "slate.gone", "rate.changed 2",
  ]);
  assert.equal(told, 3);
  assert.equal(witness.of("B"), witness.of("B"));
  for (let count = 0; count < 2000; count++) see({ encoder: { bitrate: count } });
  assert.equal(witness.of("B").length, 500);
  witness.note("broadcast/B", null, last, 8);
  assert.equal(witness.of("B").length, 0);
});

test("a recorder's events are taken and its figures are not; a line that is none of ours is passed over", () => {
  const line = entry => JSON.stringify({ source: "sender", run: 1, entry });
  const text = [
    line({ number: 0, atMs: 5, kind: "link_silent", link: "wwan0", reason: "nothing for 300 ms" }), line({ number: 1, atMs: 6, kind: "sample", sample: {} }),
    line({ number: 2, atMs: 7, kind: "of tomorrow" }), line({ atMs: 1e300, kind: "sending" }), line({ kind: "sending" }), "null", "{}", "{\"entry\":", line({ atMs: 9, kind: 3, link: {} }),
    line({ atMs: 8, kind: "sending", link: 4, reason: {} }), "",
  ].join("\n");
  assert.deepEqual(recorded(text), [
    { at: 5, what: "link_silent", subject: "wwan0", reason: "nothing for 300 ms" }, { at: 7, what: "of tomorrow" }, { at: 8, what: "sending" },
  ]);
});
