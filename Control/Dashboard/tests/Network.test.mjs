// What a network lets through comes to for a guest, and whose window a page is open in.
import assert from "node:assert/strict";
import test from "node:test";
import { inApp } from "../live/InApp";
import { verdict, wayOf, ways } from "../live/NetworkVerdict";
import { peerServers } from "../live/Peers";

const outcomes = (of, otherwise = "blocked") => ({ ...Object.fromEntries(ways.map(way => [way, otherwise])), ...of });

test("a straight way is good whatever else is blocked, a relay is a detour, and what helps is told by what there is", () => {
  assert.equal(verdict(outcomes({ https: "passes", wss: "passes", udp: "passes" }, "running")), "good");
  assert.equal(verdict(outcomes({ https: "passes", wss: "passes" }, "running")), "running");
  assert.equal(verdict(outcomes({ https: "passes", wss: "passes", "turn-tls": "passes" })), "relayed");
  assert.equal(verdict(outcomes({ https: "passes", wss: "passes" })), "cut");
  assert.equal(verdict(outcomes({ https: "passes", wss: "passes", udp: "blocked" }, "absent")), "bare");
  assert.equal(verdict(outcomes({ https: "passes", wss: "passes" }, "absent")), "roomless");
  assert.equal(verdict(outcomes({ https: "passes", wss: "blocked" }, "absent")), "mute");
  assert.equal(verdict(outcomes({ https: "blocked", wss: "blocked" }, "absent")), "away");
});

test("a server's address says by which way it is reached, and a browser is given its name and its code", () => {
  const urls = ["turn:a:3478?transport=udp", "turn:a", "turn:[2001:db8::1]:3478?transport=tcp", "turns:a:443?transport=tcp", "stun:a"];
  assert.deepEqual(urls.map(wayOf), ["turn-udp", "turn-udp", "turn-tcp", "turn-tls", null]);
  assert.deepEqual(peerServers([{ url: "stun:a" }, { url: "turn:a", username: "1:b", credential: "c" }]), [{ urls: "stun:a" }, { urls: "turn:a", username: "1:b", credential: "c" }]);
});

test("the window of another app is known by its name or by its system's mark, and a browser is none", () => {
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
  const android = "Mozilla/5.0 (Linux; Android 15; Pixel 9";
  const chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
  for (const [agent, found] of [
    [`${phone} Version/18.1 Mobile/15E148 Safari/604.1`, null], [`${phone} CriOS/140.0 Mobile/15E148 Safari/604.1`, null],
    [`${phone} Mobile/15E148 Instagram 350.0.0`, { app: "Instagram", system: "ios" }],
    [`${phone} Mobile/22B83 [FBAN/FBIOS;FBAV/480.0]`, { app: "Facebook", system: "ios" }],
    [`${phone} Mobile/15E148`, { app: "", system: "ios" }],
    [`${android}) ${chrome}`, null], [`${android}; wv) ${chrome}`, { app: "", system: "android" }],
    [`${android}; wv) ${chrome} Line/14.0.0/IAB`, { app: "LINE", system: "android" }],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", null],
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", null],
    ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/98 MicroMessenger/7.0", { app: "WeChat", system: "other" }],
  ]) assert.deepEqual(inApp(agent), found, agent);
});
