// What has no clock and opens nothing.
import assert from "node:assert/strict";
import test from "node:test";
import { Clock } from "../api/Clock";
import { nice } from "../charts/Painter";
import { qrCode } from "../design/QRCode";
import { History, Series, span } from "../live/History";
import { Picture } from "../live/Picture";
import { Redial } from "../live/Redial";
import { placed } from "../pages/TOMLPlace";
import { capacities } from "./capacities.mjs";

test("the wait before dialling again doubles from one second to fifteen, less up to half", () => {
  const redial = new Redial();
  assert.deepEqual(Array.from({ length: 6 }, () => redial.failed(0)), [1000, 2000, 4000, 8000, 15_000, 15_000]);
  assert.equal(redial.failed(1), 7500);
  redial.answered();
  assert.equal(redial.failed(0), 1000);
});

test("a fault is found at its line, in its own table", () => {
  const text = "name = \"a\"\n[video]\nbitrate = 1\n[audio]\nbitrate = 2\n[[usage.plan]]\ncap = 3";
  assert.deepEqual(placed("toml.audio.bitrate", text), { line: 5, text: "bitrate = 2" });
  assert.deepEqual(placed("toml.video.bitrate", text), { line: 3, text: "bitrate = 1" });
  assert.deepEqual(placed("toml.name", text), { line: 1, text: "name = \"a\"" });
  assert.deepEqual(placed("toml.video", text), { line: 2, text: "[video]" });
  assert.equal(placed("toml", text), undefined);
  assert.equal(placed("toml.gone.key", text), undefined);
});

test("a chart's scale ends at a round figure", () => {
  assert.deepEqual([1, 1.1, 2.2, 3, 700_000].map(nice), [1, 2, 2.5, 5, 1_000_000]);
});

test("a minute is kept, what is older is not, and a broadcast that ended leaves nothing", () => {
  const series = new Series(), seen = [];
  for (let time = 0; time < 1000; time++) series.note(time * 200, time);
  series.each(999 * 200, (_, value) => seen.push(value));
  assert.deepEqual([seen.length, seen[0], seen.at(-1)], [span / 200 + 1, 699, 999]);
  const history = new History();
  history.note("broadcast/B", { id: "B", state: "live", ingest: { bitrate: 5, paths: [] } }, 1);
  assert.equal(history.one("B/received").last, 5);
  history.note("broadcast/B", { id: "B", state: "ended" }, 2);
  assert.ok(Number.isNaN(history.one("B/received").last));
});

test("a topic ends with null, or where a whole picture does not tell it; one that nobody knows is passed over", () => {
  const picture = new Picture();
  let told = 0;
  picture.watch("sender/A", () => told++);
  picture.take("sender/A", { id: "A" });
  picture.take("sender/B", { id: "B" });
  picture.take("weather/A", {});
  picture.take("constructor/A", {});
  assert.equal(picture.all("sender").size, 2);
  picture.take("sender/B", null);
  assert.equal(picture.all("sender").size, 1);
  picture.take("sender/C", { id: "C" });
  // What is told again is never away: its page, and what somebody fills in there, stays.
  picture.take("all", null);
  assert.equal(picture.all("sender").size, 2);
  picture.take("sender/A", { id: "A" });
  assert.equal(told, 2);
  picture.take("whole", null);
  assert.deepEqual([...picture.all("sender").keys()], ["A"]);
  for (const topic of ["all", "whole"]) picture.take(topic, null);
  assert.equal(picture.all("sender").size, 0);
  assert.equal(told, 3);
});

test("a QR code is the smallest that holds its text, and there is none of a longer one", () => {
  for (const [at, length] of capacities.entries()) {
    assert.equal(qrCode("x".repeat(length)).length, 4 * at + 21, `${length} bytes`);
    assert.equal(qrCode("x".repeat(length + 1))?.length, at === 39 ? undefined : 4 * at + 25, `${length + 1} bytes`);
  }
  assert.equal(qrCode("ä".repeat(7)).length, 21);
});

test("times are the server's, and this machine's where they are as good as the same", () => {
  const clock = new Clock(), told = ahead => clock.note({ headers: new Headers({ Date: new Date(Date.now() + ahead).toUTCString() }) });
  told(3_600_000);
  assert.ok(Math.abs(clock.now() - Date.now() - 3_600_000) < 1500);
  clock.note({ headers: new Headers({ Date: "yesterday" }) });
  clock.note({ headers: new Headers() });
  assert.ok(clock.now() - Date.now() > 3_000_000);
  told(-2000);
  assert.ok(Math.abs(clock.now() - Date.now()) < 100);
});
