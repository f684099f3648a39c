// An organisation's own words over the catalogue.
import assert from "node:assert/strict";
import test from "node:test";
import { holes, wording } from "../text/Wording";

const item = (key, text, locale = "en-US") => ({ locale, key, text });

test("own words are those of texts that there are, each in its language", () => {
  const own = wording([item("nav.senders", "Vans"), item("nav.senders", "Wagen", "de-DE"), item("no.such.text", "x"), item("__proto__", "x"), item("toString", "x")]);
  assert.deepEqual(own, { en: { "nav.senders": "Vans" }, de: { "nav.senders": "Wagen" } });
});

test("a text that wants a name which it is not given is not said; one that leaves a name out is", () => {
  assert.deepEqual(holes("{b} of {a} {a}"), ["a", "a", "b"]);
  assert.deepEqual(wording([item("removeOf", "Drop {name}"), item("editOf", "Edit {names}"), item("user.menu", "Me")]), { en: { removeOf: "Drop {name}", "user.menu": "Me" } });
});
