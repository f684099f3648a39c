// What an organisation's colours become.
import assert from "node:assert/strict";
import test from "node:test";
import { colour, contrast, properties } from "../design/Theme";

const branding = change => ({
  mode: "dark", brand: "#2563EB", videoBackground: "#1A1A1A", spacing: 4, border: "thin", corners: "rounded", logoHeight: 32, ...change,
});
/** What design/tokens.css has where the organisation has nothing. */
const sheet = {
  true: { "--ground": "#0f1419", "--surface": "#171e26", "--raised": "#202933", "--text": "#e6ebf0", "--muted": "#9aa7b4", "--good": "#5fce92", "--warn": "#f0b95c", "--bad": "#ff8d85", "--good-soft": "#16301f", "--warn-soft": "#372a11", "--bad-soft": "#3c1b19" },
  false: { "--ground": "#f3f5f7", "--surface": "#ffffff", "--raised": "#eef1f4", "--text": "#17212b", "--muted": "#536170", "--good": "#14693a", "--warn": "#865000", "--bad": "#ad1f17", "--good-soft": "#e2f3e8", "--warn-soft": "#fbefd9", "--bad-soft": "#fbe6e4" },
};
const pairs = [
  ...["--text", "--muted", "--accent"].flatMap(text => ["--ground", "--surface", "--raised"].map(ground => [text, ground])),
  ...["--good", "--warn", "--bad"].flatMap(text => ["--surface", "--raised", `${text}-soft`].map(ground => [text, ground])),
  ["--on-accent", "--accent"], ["--accent", "--accent-soft"], ["--text", "--bad-soft"],
];
const pale = (of, isDark) => {
  const all = { ...sheet[isDark], ...properties(of, isDark) };
  return pairs.filter(([a, b]) => !(contrast(colour(all[a]), colour(all[b])) >= 4.5)).map(pair => `${JSON.stringify(of)} ${isDark}: ${pair}`);
};

test("whatever the brand's colour is, everything that is written can be read", () => {
  const parts = ["00", "33", "66", "99", "cc", "ff"], found = [];
  for (const red of parts) for (const green of parts) for (const blue of parts) {
    for (const mode of ["light", "dark", "darkest"]) for (const isDark of [false, true]) found.push(...pale(branding({ mode, brand: `#${red}${green}${blue}` }), isDark));
  }
  assert.deepEqual(found.slice(0, 5), []);
});

test("backgrounds and texts that the server takes can be read on all that is made of them", () => {
  const dark = [["#101010"], ["#001020", "#8090a0"], ["#2a1f3d"], ["#000000", "#ffffff"], ["#333333"], ["#0a2a12", "#aaccaa"]];
  const light = [["#ffffff"], ["#fff7e0", "#5c3a00"], ["#e0e8ff"], ["#dddddd", "#000000"], ["#eeeeee", "#333366"]];
  for (const [mode, all] of [["dark", dark], ["darkest", dark], ["light", light]]) {
    for (const [background, text = null] of all) assert.deepEqual(pale(branding({ mode, background, text, brand: "#b56927" }), mode !== "light"), []);
  }
});

test("whoever has chosen the other mode has the brand, and not the background that was made for this one", () => {
  const of = branding({ background: "#001020", text: "#ffffff" });
  assert.equal(properties(of, true)["--ground"], "#001020");
  assert.equal(properties(of, false)["--ground"], undefined);
  assert.equal(properties(of, false)["--text"], undefined);
  assert.equal(properties(of, false)["--brand-500"], "#2563eb");
  assert.equal(properties(branding({ mode: "darkest" }), true)["--ground"], "#000000");
});

test("there are five shades of the brand and four of the background, and a scale of distances", () => {
  const made = properties(branding({ brand: "#808080", spacing: 5, corners: "sharp", border: "fat", logoHeight: 40 }), true);
  assert.deepEqual([300, 400, 500, 600, 700].map(shade => made[`--brand-${shade}`]), ["#b3b3b3", "#999999", "#808080", "#6d6d6d", "#5a5a5a"]);
  assert.ok([600, 700, 800, 900].every(shade => /^#[0-9a-f]{6}$/.test(made[`--background-${shade}`])));
  assert.deepEqual([0, 4, 96].map(step => made[`--spacing-${step}`]), ["0px", "20px", "480px"]);
  assert.deepEqual(["--space-1", "--space-6", "--radius", "--border", "--logo-height"].map(name => made[name]), ["5px", "40px", "0px", "2px", "40px"]);
});

test("a text that was chosen for the brand's colour is taken where it can be read on the shade that is shown, else the better of black and white", () => {
  assert.equal(properties(branding({ mode: "light", brand: "#b00020", textOnPrimary: "#ffeeee" }), false)["--on-accent"], "#ffeeee");
  const made = properties(branding({ brand: "#400010", textOnPrimary: "#ffeeee" }), true);
  assert.notEqual(made["--accent"], "#400010");
  assert.ok(contrast(colour(made["--on-accent"]), colour(made["--accent"])) >= 4.5);
});
