// Who is shown where, and how large.
import assert from "node:assert/strict";
import test from "node:test";
import { arrange, capacities, columns, sends } from "../live/Tiles";

const track = source => ({ mid: source, kind: source.startsWith("screen") ? "video" : "audio", source });
const person = (id, ...sources) => ({ id, name: id, role: "member", isAway: false, tracks: sources.map(track) });
const crowd = count => Array.from({ length: count }, (_, at) => person(`p${String(at).padStart(2, "0")}`));
const wish = { pinned: null, layout: "grid", page: 0 };
const ids = tiles => tiles.map(tile => tile.id);

test("two and nine are on one page; of forty-nine 25 are, and nobody is left out or shown twice", () => {
  for (const [count, pages] of [[2, 1], [9, 1], [49, 2]]) {
    const people = crowd(count), seen = [];
    for (let page = 0; page < pages; page++) {
      const scene = arrange(people, "p00", { ...wish, page }, new Map(), null, capacities.desktop);
      assert.deepEqual([scene.pages, scene.large.length], [pages, 0]);
      assert.ok(scene.small.length <= 25);
      seen.push(...ids(scene.small));
    }
    assert.deepEqual(seen.sort(), people.map(one => one.id));
  }
  assert.equal(arrange(crowd(49), "p00", wish, new Map(), null, capacities.phone).pages, 9);
});

test("whoever speaks on another page comes onto the first one, in the place of whoever is silent for longest; the others keep theirs", () => {
  const people = crowd(30), before = ids(arrange(people, "p29", wish, new Map([["p03", 5]]), null, capacities.desktop).small);
  assert.ok(before.includes("p29") && !before.includes("p27"));
  const after = ids(arrange(people, "p29", wish, new Map([["p03", 5], ["p27", 9]]), "p27", capacities.desktop).small);
  assert.ok(after.includes("p27") && after.includes("p03") && after.includes("p29"));
  assert.deepEqual(before.filter(id => !after.includes(id)), ["p23"]);
  assert.deepEqual(after, [...after].sort());
});

test("a screen is large, what was pinned larger still, and where one is to be large it is whoever speaks, never oneself", () => {
  const people = [person("a"), person("b", "screen"), person("c")];
  const look = (change, speaker = null) => arrange(people, "a", { ...wish, ...change }, new Map(), speaker, capacities.desktop);
  assert.deepEqual(ids(look({}).large), ["b/screen"]);
  assert.deepEqual(ids(look({}).small), ["a", "b", "c"]);
  const pinned = look({ pinned: "c" });
  assert.deepEqual([ids(pinned.large), ids(pinned.small)], [["c"], ["b/screen", "a", "b"]]);
  // Whoever was pinned has left.
  assert.deepEqual(ids(look({ pinned: "gone" }).large), ["b/screen"]);
  const quiet = [person("a"), person("b"), person("c")];
  for (const [speaker, large] of [[null, "b"], ["c", "c"], ["a", "b"]]) {
    assert.deepEqual(ids(arrange(quiet, "a", { ...wish, layout: "speaker" }, new Map(), speaker, capacities.desktop).large), [large]);
  }
  assert.deepEqual(ids(arrange([person("a")], "a", { ...wish, layout: "speaker" }, new Map(), null, capacities.desktop).small), ["a"]);
});

test("whom a host has made large is large for all, beside a screen too, in the host's order; one's own pin is larger, and who has left is not shown", () => {
  const people = [person("a"), person("b"), person("c"), person("d")];
  const look = (change, of = people) => arrange(of, "a", { ...wish, spotlight: ["d", "gone", "b"], ...change }, new Map(), "c", capacities.desktop);
  assert.deepEqual([ids(look({}).large), ids(look({}).small)], [["d", "b"], ["a", "c"]]);
  assert.deepEqual(ids(look({ pinned: "c" }).large), ["c"]);
  assert.deepEqual(ids(look({ layout: "speaker" }).large), ["d", "b"]);
  assert.deepEqual(ids(look({}, [...people, person("e", "screen")]).large), ["e/screen", "d", "b"]);
  assert.deepEqual(ids(look({ spotlight: ["a"] }).large), ["a"], "oneself, too");
  assert.deepEqual(ids(look({ spotlight: [] }).large), []);
});

test("tiles fill the room that there is: on no other number of columns they are larger, and none is out of it", () => {
  for (const [width, height] of [[1200, 700], [344, 560], [800, 300]]) {
    for (const count of [1, 2, 6, 9, 25]) {
      const best = columns(count, width, height, 8), rows = Math.ceil(count / best.columns);
      assert.ok(best.columns * best.width + (best.columns - 1) * 8 <= width, `${count} in ${width}x${height}`);
      assert.ok(rows * best.width * 9 / 16 + (rows - 1) * 8 <= height + 1, `${count} in ${width}x${height}`);
    }
  }
  assert.deepEqual([columns(2, 1280, 600, 8).columns, columns(9, 1280, 600, 8).columns, columns(25, 1280, 600, 8).columns], [2, 3, 5]);
  assert.deepEqual(columns(0, 0, 0, 8), { columns: 1, width: 0 });
});

test("what the server holds back is sent to nobody, whatever is offered: it is neither shown as on nor large", () => {
  const held = { ...person("a", "microphone", "screen", "screen-sound"), off: ["audio", "screen"] };
  assert.deepEqual(["microphone", "screen", "screen-sound"].map(source => sends(held, source)), [false, false, false]);
  assert.equal(sends({ ...held, off: [] }, "microphone"), true);
  assert.equal(sends(person("a", "microphone"), "microphone"), true);
  assert.deepEqual(arrange([held, person("b")], "b", wish, new Map(), null, capacities.desktop).large, []);
});
