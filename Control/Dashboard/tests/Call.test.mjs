// What of a call needs no browser: who speaks, how good it is, when it is mended, and what a browser's refusal means.
import assert from "node:assert/strict";
import test from "node:test";
import { lacking, listed, obstacle, present, remembered, standard } from "../live/Devices";
import { ladder } from "../live/Ladder";
import { Mending } from "../live/Mending";
import { judge, sum, worst } from "../live/Quality";
import { isAudioOnly, rights } from "../live/Rights";
import { Speakers } from "../live/Speakers";
import { Call } from "../media/Call";

test("who speaks is who is loud for more than a knock, stays so between two words, and hands over only to the louder", () => {
  const speakers = new Speakers();
  let now = 0;
  const look = (a, b, times) => { for (let at = 0; at < times; at++) speakers.look(new Map([["a", a], ["b", b]]), now += 250); };
  look(0.2, 0, 1);
  assert.equal(speakers.speaker, null);
  look(0, 0, 8);
  look(0.1, 0, 3);
  assert.deepEqual([speakers.speaker, [...speakers.speaking]], ["a", ["a"]]);
  look(0, 0, 3);
  assert.equal(speakers.speaking.has("a"), true);
  look(0.1, 0.15, 12);
  assert.deepEqual([speakers.speaker, speakers.speaking.size], ["a", 2]);
  look(0.1, 0.4, 4);
  assert.equal(speakers.speaker, "b");
  look(0, 0, 8);
  assert.deepEqual([speakers.speaker, speakers.speaking.size], ["b", 0]);
  speakers.look(new Map([["a", 0]]), now += 250);
  assert.equal(speakers.speaker, null, "who has left is nobody's speaker");
  assert.equal(speakers.spoke.has("b"), false);
});

test("a way is as good as what was lost, waited for and stood still between two looks; of nothing nothing is said", () => {
  const count = (received, lost = 0, frozen = 0, roundTrip = 0.05) => ({ received, lost, frozen, roundTrip });
  assert.equal(judge(count(100), count(600), 2), "good");
  assert.equal(judge(count(100), count(580, 20), 2), "average");
  assert.equal(judge(count(100), count(500, 100), 2), "poor");
  assert.equal(judge(count(100), count(600, 0, 0, 0.7), 2), "poor");
  assert.equal(judge(count(100), count(600, 0, 0.2), 2), "average");
  assert.equal(judge(count(100), count(600, 0, 1), 2), "poor");
  assert.equal(judge(count(600), count(100), 2), null, "it began anew");
  assert.equal(judge(count(100), count(101), 2), null);
  assert.equal(worst("good", null, "poor"), "poor");
  assert.equal(worst(null), null);
  assert.deepEqual(sum(count(1, 2, 3, null), count(4, 5, 6, 0.1)), { received: 5, lost: 7, frozen: 9, roundTrip: 0.1 });
});

test("a way that is silent is restarted by whoever offers it, and where that does not help or cannot be done made anew, ever less often", () => {
  const up = new Mending(true);
  up.began(0);
  assert.equal(up.look("connecting", 100, 0), null);
  assert.equal(up.look("connected", 500, 0), null);
  assert.equal(up.look("disconnected", 1000, 0), null);
  assert.equal(up.look("disconnected", 2600, 0), "restart");
  assert.equal(up.look("failed", 3000, 0), null, "a restart is given its time");
  assert.equal(up.look("failed", 5700, 0), "renew");
  const down = new Mending(false);
  down.began(0);
  assert.equal(down.look("failed", 100, 0), "renew");
  assert.equal(down.look("failed", 200, 0), null);
  assert.equal(down.look("failed", 1200, 0), "renew");
  assert.equal(down.look("failed", 2400, 0), null);
  const slow = new Mending(false);
  slow.began(0);
  assert.equal(slow.look("connecting", 1, 0), null);
  assert.equal(slow.look("connecting", 11_000, 0), "renew");
});

test("with another network the way out is restarted at once, once; the way in where it is lost", () => {
  const up = new Mending(true), down = new Mending(false);
  for (const one of [up, down]) {
    one.began(0);
    one.look("connected", 100, 0);
  }
  assert.deepEqual([up.moved("connected", 200, 0), up.moved("disconnected", 300, 0)], ["restart", null]);
  assert.deepEqual([down.moved("connected", 200, 0), down.moved("disconnected", 300, 0)], [null, "renew"]);
});

test("what a browser refuses is told apart by what helps", () => {
  const cases = [
    ["NotAllowedError", "Permission denied", "denied"], ["NotAllowedError", "Permission denied by system", "system"],
    ["NotAllowedError", "Permission dismissed", "dismissed"], ["NotFoundError", "", "missing"], ["OverconstrainedError", "", "missing"],
    ["NotReadableError", "Could not start video source", "busy"], ["AbortError", "", "busy"], ["SecurityError", "", "insecure"],
    ["TypeError", "", "unsupported"], ["Odd", "", "unknown"],
  ];
  for (const [name, message, why] of cases) assert.equal(obstacle({ name, message }), why, `${name} ${message}`);
  assert.equal(lacking({ isSecureContext: true, RTCPeerConnection: 1, WebSocket: 1 }), null);
  assert.equal(lacking({ isSecureContext: true, WebSocket: 1 }), "unsupported");
  assert.equal(lacking({ isSecureContext: false, RTCPeerConnection: 1, WebSocket: 1 }), "insecure");
});

test("what was chosen is remembered, and anything else that is kept there is nothing", () => {
  const choice = { camera: "c", microphone: "m", speaker: "s", isSeen: false, isHeard: false };
  assert.deepEqual(remembered(JSON.stringify(choice)), choice);
  for (const text of [null, "", "{", "null", "[]", '"x"', '{"camera":7,"isSeen":"no"}']) assert.deepEqual(remembered(text), standard, String(text));
  const all = [{ kind: "videoinput", deviceId: "c", label: "Lens" }, { kind: "audioinput", deviceId: "", label: "" }, { kind: "audiooutput", deviceId: "s", label: "" }];
  assert.deepEqual(listed(all, "camera"), [{ id: "c", label: "Lens" }]);
  assert.deepEqual(listed(all, "microphone"), []);
  assert.deepEqual([present("c", listed(all, "camera")), present("gone", listed(all, "camera"))], ["c", ""]);
});

test("a page offers what the preset has: guests no screen and no pin, voices no camera, and who only watches nothing", () => {
  const of = preset => Object.entries(rights(preset)).filter(([, may]) => may).map(([name]) => name).join();
  assert.equal(of("video_host"), "microphone,camera,screen,pin,people");
  assert.equal(of("video_participant"), "microphone,camera,screen,pin,people");
  assert.equal(of("video_guest"), "microphone,camera,people");
  assert.equal(of("audio_host"), "microphone,screen,pin,people");
  assert.equal(of("audio_guest"), "microphone,people");
  assert.equal(of("webinar_host"), "microphone,camera,screen,pin,people");
  assert.equal(of("webinar_participant"), "pin,people");
  assert.equal(of("webinar_viewer"), "");
  assert.deepEqual([isAudioOnly("audio_guest"), isAudioOnly("video_guest")], [true, false]);
});

/** As much of a browser as a call asks for that gets no further than its door; `grant` answers its question for a screen. */
function browser() {
  const asked = [];
  class AudioContext {
    createAnalyser() { return { fftSize: 0 }; }
    async resume() {}
    async close() {}
  }
  class WebSocket {
    send() {}
    close() {}
  }
  const values = {
    AudioContext, WebSocket, location: { protocol: "https:", host: "example.org" }, addEventListener: () => undefined, removeEventListener: () => undefined,
    navigator: { mediaDevices: { getDisplayMedia: () => new Promise(done => asked.push(done)) } },
  };
  for (const [name, value] of Object.entries(values)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return { grant: media => asked.shift()(media) };
}

function screen() {
  const tracks = ["video", "audio"].map(kind => ({ kind, isStopped: false, onended: null, stop() { this.isStopped = true; } }));
  const of = kind => tracks.filter(one => one.kind === kind);
  return { stopped: () => tracks.map(one => one.isStopped), getTracks: () => tracks, getVideoTracks: () => of("video"), getAudioTracks: () => of("audio") };
}

/** Somebody's call that nobody has let in, and what of their devices was switched off. */
function called() {
  const none = { camera: null, microphone: null }, shut = [];
  const capture = {
    view: { choice: { ...standard, isSeen: false, isHeard: false }, tracks: none, obstacles: none },
    hold: () => () => undefined, watch: () => () => undefined, open: async () => undefined, shut: (...kinds) => shut.push(...kinds), prefer: () => undefined,
  };
  const call = new Call("pass", async () => null, rights("video_host"), capture);
  call.publisher.send = () => undefined;
  call.start();
  return { call, shut };
}

test("a camera and a screen that a host has switched off are let go of, once, and not when their owner has done it", async () => {
  const { grant } = browser(), { call, shut } = called(), [first, second] = [screen(), screen()];
  const off = (stoppedBy, ...media) => {
    call.room.view = { is: "in", me: "b", people: [{ id: "b", name: "Ben", role: "guest", isAway: false, tracks: [], off: media, stoppedBy }] };
    call.heed();
  };
  const show = async media => {
    const showing = call.showScreen();
    grant(media);
    await showing;
  };
  await show(first);
  off(null, "video");
  off("a", "audio");
  assert.deepEqual([shut, first.stopped()], [[], [false, false]]);
  off("a", "audio", "video", "screen");
  assert.deepEqual([shut, first.stopped()], [["camera"], [true, true]]);
  // Shown again before the server has said so.
  call.room.ask = async () => "";
  await show(second);
  off("a", "audio", "video", "screen");
  assert.deepEqual([shut, second.stopped()], [["camera"], [false, false]]);
  call.room.view = { is: "over", why: "left" };
  call.stop();
  assert.deepEqual(second.stopped(), [true, true]);
});

test("what one may send no more is captured no more, and what one may from now on is not sent by itself", async () => {
  const { grant } = browser(), { call, shut } = called(), shown = screen(), silenced = [];
  call.publisher.silence = () => silenced.push("silence");
  const tell = (audio, screenShare, preset = "video_host") => {
    call.room.rights = { role: "host", preset, audio, video: audio, screenShare, allowed: ["pin"], isChatMuted: false };
    call.room.view = { is: "in", me: "b", people: [] };
    call.heed();
  };
  const showing = call.showScreen();
  grant(shown);
  await showing;
  tell("allowed", "allowed");
  assert.deepEqual([shut, shown.stopped(), call.view.may.microphone], [[], [false, false], true]);
  tell("allowed", "denied", "video_guest");
  assert.deepEqual([shut, shown.stopped(), call.view.may.screen, silenced], [[], [true, true], false, []]);
  tell("on_request", "denied", "webinar_guest");
  assert.deepEqual([shut, call.view.may.microphone, silenced], [["microphone", "camera"], false, ["silence"]]);
  tell("allowed", "denied", "webinar_guest");
  assert.deepEqual([shut.length, call.view.may.microphone, call.view.microphone], [2, true, "off"]);
  call.stop();
});

test("a screen that is granted to whoever has left is let go of, and so is the one before another", async () => {
  const { grant } = browser(), { call } = called(), [first, second, late] = [screen(), screen(), screen()];
  for (const one of [first, second]) {
    const showing = call.showScreen();
    grant(one);
    await showing;
  }
  assert.deepEqual([first.stopped(), second.stopped()], [[true, true], [false, false]]);
  const showing = call.showScreen();
  call.stop();
  grant(late);
  await showing;
  assert.deepEqual([second.stopped(), late.stopped()], [[true, true], [true, true]]);
});

test("a camera has as many layers as can be watched, the least first, and one alone has no name", () => {
  assert.deepEqual(ladder(720).map(one => one.rid), ["q", "h", "f"]);
  assert.deepEqual(ladder(360).map(one => one.rid), ["h", "f"]);
  assert.deepEqual(ladder(240).map(one => one.rid), [undefined]);
  const rates = ladder(1080).map(one => one.maxBitrate);
  assert.deepEqual(rates, [...rates].sort((a, b) => a - b));
});
