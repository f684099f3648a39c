// A configuration that is changed key by key, and what differs between two.
import assert from "node:assert/strict";
import test from "node:test";
import { lineDifferences } from "../pages/lineDifferences";
import { TOMLText } from "../pages/TOMLText";

const text = `# Of the van.
[video]   # the camera
bitrate_kbit = 2_500 # enough
  input = 'usb-1'

[transport]
links = [ "wwan0", # the first
  "wwan1" ]
[[link]]
name = "wwan0"
cost = "metered"
[[link]]
name = "wwan1"`;
const video = { table: "video" }, second = { table: "link", name: "wwan1" };

test("values are read where they stand", () => {
  const toml = TOMLText.of(text);
  assert.deepEqual(["bitrate_kbit", "input", "width"].map(key => toml.value(video, key)), [2500, "usb-1", undefined]);
  assert.equal(toml.value({ table: "transport" }, "links"), null);
  assert.equal(toml.value({ table: "link", name: "wwan0" }, "cost"), "metered");
  assert.equal(toml.value(second, "cost"), undefined);
  assert.deepEqual(toml.names("link"), ["wwan0", "wwan1"]);
});

test("a value is exchanged, added and taken away, and nothing else changes", () => {
  const toml = TOMLText.of(text);
  assert.equal(toml.put(video, "bitrate_kbit", 800), text.replace("2_500", "800"));
  assert.equal(toml.put(video, "input", "a \"b\" \\"), text.replace("'usb-1'", '"a \\"b\\" \\\\"'));
  assert.equal(toml.put(video, "input", undefined), text.replace("  input = 'usb-1'\n", ""));
  assert.equal(toml.put(video, "width", undefined), text);
  assert.equal(toml.put(video, "width", 640), text.replace("'usb-1'\n", "'usb-1'\nwidth = 640\n"));
  assert.equal(toml.put({ table: "transport" }, "links", undefined), text.replace(/links = [^\]]*\]\n/, ""));
  assert.equal(toml.put(second, "data_cap_mib", 5), text + "\ndata_cap_mib = 5\n");
  assert.equal(toml.put({ table: "audio" }, "input", "x"), text + '\n\n[audio]\ninput = "x"\n');
  assert.equal(toml.put({ table: "link", name: "eth0" }, "cost", "free"), text + '\n\n[[link]]\nname = "eth0"\ncost = "free"\n');
  assert.equal(TOMLText.of("").put(video, "width", 2), "[video]\nwidth = 2\n");
  assert.equal(TOMLText.of("[video] # nothing").put(video, "width", 2), "[video] # nothing\nwidth = 2\n");
});

test("what was put is read again, whatever was there", () => {
  for (const value of [1, 0, "x", "\"", "\\u0041", "ä😀", "#", "]"]) {
    for (const before of ["", text, "[video]\ninput = \"]#\"\n[a]\nb = 1"]) assert.equal(TOMLText.of(TOMLText.of(before).put(video, "input", value)).value(video, "input"), value);
  }
});

test("of a text that it does not know whole there is no form", () => {
  for (const one of [
    "video.width = 1", "[video.more]\na = 1", "[video]\na = \"\"\"\n[audio]\n\"\"\"", "[video]\na = '''x'''", "[video]\na = { b = 1 }", "a = [", "a = ]", "[video]\n[video]",
    "a = 1\na = 2", "[[video]\na = 1", "[video]]", "a = \"", "a", "a =", "a = 1 b = 2", "\"a\" = 1", "[link]\n[[link]]", "a = [ { b = 1 } ]",
  ]) assert.equal(TOMLText.of(one), null, one);
});

test("a long text of nothing but beginnings is given up at once", () => {
  const began = performance.now();
  for (const one of ["[", "a = [", "#", "\"", "a = \"\\", " ", "[[", "a=1 "]) TOMLText.of(one.repeat(65_536 / one.length));
  assert.ok(performance.now() - began < 2000);
});

test("lines that went and came make the one text into the other, and no more of them than must", () => {
  const told = (a, b) => lineDifferences(a, b).map(line => ({ same: " ", gone: "-", new: "+" })[line.kind] + line.text);
  assert.deepEqual(told("a\nb\nc\n", "a\nx\nc\nd"), [" a", "-b", "+x", " c", "+d"]);
  assert.deepEqual(told("", "a"), ["+a"]);
  assert.deepEqual(told("a\na\nb", "a\nb"), [" a", "-a", " b"]);
  let seed = 1;
  const random = () => (seed = seed * 48271 % 2147483647) / 2147483647;
  for (let round = 0; round < 200; round++) {
    const [a, b] = [0, 0].map(() => Array.from({ length: Math.floor(random() * 12) }, () => "xyz"[Math.floor(random() * 3)]));
    const lines = lineDifferences(a.join("\n"), b.join("\n"));
    assert.deepEqual(lines.filter(line => line.kind !== "new").map(line => line.text), a);
    assert.deepEqual(lines.filter(line => line.kind !== "gone").map(line => line.text), b);
  }
  const [many, others] = ["a", "b"].map(name => Array.from({ length: 32_000 }, (_, at) => name + at).join("\n"));
  assert.equal(lineDifferences(many, others).length, 64_000);
});
