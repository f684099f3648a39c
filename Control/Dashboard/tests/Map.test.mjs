import assert from "node:assert/strict";
import { test } from "node:test";
import { bounded, canZoomIn, fitting, together, zoomed } from "../pages/MapView";
import { across, down, place, width } from "../pages/projection";
import { spotIn, whereabouts } from "../pages/whereabouts";

const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-6 * width, `${a} is not ${b}`);

test("the map is square, Greenwich and the equator are its middle, and a pole is on its edge", () => {
  near(across(0), width / 2);
  near(down(0), width / 2);
  near(across(-180), 0);
  // Nobody is farther north than the map.
  near(down(90), down(84));
  near(down(60) + down(-60), width);
});

test("coordinates are found in what somebody wrote, and nothing else is taken for some", () => {
  for (const [text, spot] of [
    ["53.5461, 9.9937", [53.5461, 9.9937]], ["Harbour, 53.5461, 9.9937", [53.5461, 9.9937]], ["(-33.8568 151.2153)", [-33.8568, 151.2153]],
    ["tower; 0.0/-0.5", [0, -0.5]], ["Hall 3, 12", null], ["12, 13", null], ["Market square, van", null], ["", null], ["91.0, 10.0", null],
    ["10.0, 181.0", null], ["10.0, 180.0", [10, 180]], ["1.2.3.4, 5.6", null], ["10.1.2.3", null], ["9".repeat(200) + ".1, 1.5", null],
  ]) assert.deepEqual(spotIn(text), spot && { latitude: spot[0], longitude: spot[1] }, text);
});

test("a satellite receiver is believed before words, and of one that is away what was seen last", () => {
  const seen = { latitude: 1, longitude: 2 }, last = { latitude: 3, longitude: 4 };
  const sample = { modems: [{}, { position: seen }] }, sender = location => ({ online: true, location });
  assert.deepEqual(whereabouts(sender({ text: "5.0, 6.0", position: last }), sample), seen);
  assert.deepEqual(whereabouts({ ...sender({ text: "5.0, 6.0", position: last }), online: false }, sample), last);
  assert.deepEqual(whereabouts(sender({ text: "5.0, 6.0" }), { modems: null }), { latitude: 5, longitude: 6 });
  assert.equal(whereabouts(sender(null), undefined), null);
  // What a board tells is a stranger's word.
  assert.equal(whereabouts(sender({ position: { latitude: 1e9, longitude: Number.NaN } }), undefined), null);
});

test("all of them are seen, a single one in its country, and nobody leaves the world", () => {
  const shape = 0.5, points = [[53.5, 10], [-33.9, 151.2], [40.7, -74]].map(([latitude, longitude]) => place({ latitude, longitude }));
  const inside = (view, [x, y]) => x > view.x && x < view.x + view.across && y > view.y && y < view.y + view.across * shape;
  for (const some of [points, points.slice(0, 1), points.slice(1, 3)]) {
    const view = fitting(some, shape);
    assert.ok(some.every(point => inside(view, point)), JSON.stringify(view));
  }
  assert.ok(fitting(points.slice(0, 1), shape).across < width / 20);
  assert.equal(fitting([], shape).across, width);
  for (const view of [{ x: -1e9, y: 1e9, across: 1e9 }, { x: 1e9, y: -1e9, across: 0 }]) {
    const held = bounded(view, shape);
    assert.ok(held.x >= 0 && held.x + held.across <= width + 1e-9 && held.y >= 0 && held.y + held.across * shape <= width + 1e-9, JSON.stringify(held));
  }
});

test("what is pointed at stays where it is while the map comes nearer, as near as it comes", () => {
  const view = { x: 4000, y: 4000, across: 3000 }, shape = 0.6, at = [0.25, 0.75];
  const spot = ({ x, y, across }) => [x + across * at[0], y + across * shape * at[1]];
  const nearer = zoomed(view, 0.5, shape, at);
  near(spot(nearer)[0], spot(view)[0]);
  near(spot(nearer)[1], spot(view)[1]);
  let last = view;
  for (let step = 0; step < 20; step++) last = zoomed(last, 0.5, shape);
  assert.ok(!canZoomIn(last) && last.across > 1);
});

test("those that would stand on each other come together, and each is somewhere once", () => {
  const all = [[0, 0], [3, 3], [100, 0], [101, 1], [50, 50]], groups = together(all, one => one, 10);
  assert.deepEqual(groups.map(group => group.length), [2, 2, 1]);
  assert.deepEqual(groups.flat(), all);
});
