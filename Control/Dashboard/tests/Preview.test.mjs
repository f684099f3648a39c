// A live preview: its messages, and where it plays.
import assert from "node:assert/strict";
import test from "node:test";
import { chase, part } from "../live/Preview";

const message = (...parts) => Uint8Array.from(parts.flatMap(one => typeof one === "string" ? [...one].map(letter => letter.charCodeAt(0)) : [one])).buffer;

test("a beginning names its codecs, and what follows is the segment", () => {
  const codecs = "avc1.64001f,mp4a.40.2", got = part(message(1, codecs.length, codecs, 7, 8));
  assert.equal(got.kind, "beginning");
  assert.equal(got.type, `video/mp4; codecs="${codecs}"`);
  assert.deepEqual([...got.bytes], [7, 8]);
  assert.deepEqual([part(message(2, 9)).kind, part(message(3, 9)).kind], ["key", "more"]);
  assert.deepEqual([...part(message(3, 9)).bytes], [9]);
});

test("what is no message, or no list of codecs, is none", () => {
  for (const bad of [message(), message(4, 1), message(0), message(1), message(1, 9, "avc1"), message(1, 0), message(1, 5, 'a"; b')]) assert.equal(part(bad), null);
});

test("it plays a second behind the newest picture, hurries where it falls behind, and leaps over holes and long waits", () => {
  assert.deepEqual(chase(0, []), { rate: 1 });
  assert.deepEqual(chase(0, [[120, 120.2]]), { to: 120, rate: 1 });
  assert.deepEqual(chase(0, [[120, 124]]), { to: 123, rate: 1 });
  assert.deepEqual(chase(123, [[120, 124.5]]), { rate: 1 });
  assert.deepEqual(chase(122, [[120, 124.5]]), { rate: 1.1 });
  assert.deepEqual(chase(118, [[120, 124.5]]), { to: 123.5, rate: 1 });
  assert.deepEqual(chase(10, [[5, 20]]), { to: 19, rate: 1 });
  assert.deepEqual(chase(12, [[5, 12], [14, 18]]), { to: 17, rate: 1 });
});
