// What people write and show each other in a meeting, and what a page offers whom.
import assert from "node:assert/strict";
import test from "node:test";
import { attendance } from "../live/Attendance";
import { Chat } from "../live/Chat";
import { stretches } from "../live/Links";
import { pieces } from "../live/Markup";
import { deeds, hands, powers, spotlit } from "../live/Powers";
import { Floats, lasting, reactions, signs } from "../live/Reactions";
import { rights, rightsOf } from "../live/Rights";

const message = (id, change = {}) => ({ id, from: "a", name: "Anna", text: `text of ${id}`, atMs: 0, isPinned: false, ...change });
const ids = messages => messages.map(one => one.id).join();

/** As somebody has it who has just come in: their seat is `me`. */
function chatting(...messages) {
  const chat = new Chat();
  chat.sit("me");
  chat.begin(messages);
  return chat;
}

test("what was there before oneself is nothing new; of what comes later others' messages are, until somebody looks", () => {
  const chat = chatting(message("m1"), message("m2"));
  assert.deepEqual([ids(chat.view().messages), chat.view().unread, chat.isUnseen], ["m1,m2", 0, false]);
  chat.put(message("m3"));
  chat.put(message("m4", { from: "me" }));
  chat.put(message("m5", { to: "me" }));
  assert.deepEqual([ids(chat.view().messages), chat.view().unread, chat.isUnseen], ["m1,m2,m3,m4,m5", 2, true]);
  assert.deepEqual(chat.view().messages.map(one => [chat.view().isMine(one), chat.view().isToMe(one)].join()), ["false,false", "false,false", "false,false", "true,false", "false,true"]);
  // Everything is told anew after a lost connection: what was not seen is still new.
  chat.begin([message("m1"), message("m3"), message("m5"), message("m6")]);
  assert.equal(chat.view().unread, 3);
  chat.see();
  assert.deepEqual([chat.view().unread, chat.isUnseen], [0, false]);
  chat.put(message("m6", { isPinned: true }));
  assert.deepEqual([chat.view().unread, ids(chat.view().pinned)], [0, "m6"], "a pin is no message");
});

test("one's own is one's own by another seat, too", () => {
  const chat = chatting(message("m1", { from: "me" }));
  chat.sit("again");
  assert.equal(chat.view().isMine(chat.view().messages[0]), true);
});

test("pinned ones from long ago are among those that are pinned alone, and what lies between is asked for", () => {
  const chat = chatting(message("m01", { isPinned: true }), message("m50"), message("m51"));
  assert.deepEqual([ids(chat.view().messages), ids(chat.view().pinned), chat.before], ["m50,m51", "m01", "m50"]);
  chat.put(message("m02", { isPinned: true }));
  assert.deepEqual([ids(chat.view().messages), ids(chat.view().pinned)], ["m50,m51", "m01,m02"]);
  chat.put(message("m02"));
  assert.deepEqual(ids(chat.view().pinned), "m01");
  chat.older([message("m40"), message("m49")]);
  assert.deepEqual([ids(chat.view().messages), chat.before, chat.view().isWhole], ["m40,m49,m50,m51", "m40", false]);
  chat.older([message("m01", { isPinned: true }), message("m02")]);
  chat.older([]);
  assert.deepEqual([ids(chat.view().messages), chat.view().isWhole], ["m01,m02,m40,m49,m50,m51", true]);
});

test("of nothing but pins the newest are asked for, and the next message stands by itself", () => {
  const chat = chatting(message("m01", { isPinned: true }));
  assert.deepEqual([ids(chat.view().messages), chat.before], ["", null]);
  chat.put(message("m60"));
  assert.deepEqual([ids(chat.view().messages), chat.before], ["m60", "m60"]);
  const empty = chatting();
  empty.put(message("m1"));
  assert.deepEqual([ids(empty.view().messages), empty.view().unread], ["m1", 1]);
});

test("what was taken back is nowhere, not by an answer either that was under way, and what lies before is still asked for", () => {
  const chat = chatting(message("m5"), message("m6"));
  chat.drop("m5");
  assert.deepEqual([ids(chat.view().messages), chat.before, chat.view().isGone("m5"), chat.view().isGone("m6")], ["m6", "m5", true, false]);
  chat.drop("m4");
  chat.older([message("m3"), message("m4"), message("m5")]);
  chat.put(message("m5", { isPinned: true }));
  assert.deepEqual([ids(chat.view().messages), ids(chat.view().pinned)], ["m3,m6", ""]);
});

test("of what others write without end the newest are kept, with those that are pinned, and what one has asked for oneself", () => {
  const number = at => message(`m${String(at).padStart(5, "0")}`, { isPinned: at === 3 }), chat = chatting(number(0));
  for (let at = 1; at <= 700; at++) chat.put(number(at));
  assert.deepEqual([chat.view().messages.length, chat.before, ids(chat.view().pinned), chat.view().isWhole], [500, "m00201", "m00003", false]);
  chat.older(Array.from({ length: 50 }, (_, at) => number(151 + at)));
  chat.put(number(701));
  assert.deepEqual([chat.view().messages.length, chat.before], [550, "m00152"]);
});

test("what is shown is the same until something is not as before", () => {
  const chat = chatting(message("m1")), view = chat.view();
  chat.sit("me");
  assert.equal(chat.view(), view);
  chat.put(message("m2"));
  assert.notEqual(chat.view(), view);
  assert.equal(ids(view.messages), "m1");
});

test("an address of the web is a link to where it says, without the sentence around it, and everything else is text", () => {
  const links = text => stretches(text).map(one => (one.href ? `[${one.text}]` : one.text)).join("");
  const cases = [
    ["see https://example.org/a?b=c#d.", "see [https://example.org/a?b=c#d]."], ["(https://example.org)", "([https://example.org])"],
    ["https://en.wikipedia.org/wiki/Swift_(bird)!", "[https://en.wikipedia.org/wiki/Swift_(bird)]!"], ["HTTP://EXAMPLE.ORG", "[HTTP://EXAMPLE.ORG]"],
    ["a\nhttps://a.example\thttps://b.example", "a\n[https://a.example]\t[https://b.example]"], ["<https://example.org>", "<[https://example.org]>"],
    ["\"https://example.org\", she said", "\"[https://example.org]\", she said"],
  ];
  for (const [text, expected] of cases) assert.equal(links(text), expected);
  for (const text of [
    "", "plain", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//example.org", "example.org", "https://", "https://.", "https://example.org@evil.example/", "https://a:b@c.example",
    "xhttps://example.org", "https://[", "<img src=x onerror=alert(1)>",
  ]) assert.deepEqual(stretches(text).filter(one => one.href), [], text);
  for (const [text] of cases) assert.equal(stretches(text).map(one => one.text).join(""), text, "nothing is lost");
  assert.equal(stretches("https://EXAMPLE.org/x")[0].href, "https://example.org/x");
});

test("the longest message of whatever signs is taken apart in no time", () => {
  const begun = performance.now();
  for (const sign of [")", "(", "https://", "https://a)", "https://(", "]", ".", "<", " https://a.b"]) stretches(`https://example.org/${sign.repeat(Math.floor(1980 / sign.length))}`);
  assert.ok(performance.now() - begun < 500);
});

test("what is marked in a message is shown so, and what has no partner, or lies within a word, is text", () => {
  const shown = text => pieces(text).map(one => one.marks.reduce((inside, mark) => `<${mark}>${inside}</${mark}>`, one.href ? `[${one.text}]` : one.text)).join("");
  const cases = [
    ["a **b** c", "a <strong>b</strong> c"], ["__b__", "<strong>b</strong>"], ["*b* and _c_", "<em>b</em> and <em>c</em>"], ["~~gone~~", "<del>gone</del>"],
    ["**a *b* c**", "<strong>a </strong><strong><em>b</em></strong><strong> c</strong>"], ["`a **b** <i>`", "<code>a **b** <i></code>"], ["```\nlet a = *b\n  c\n```", "<code>let a = *b\n  c</code>"],
    ["(*b*), \"**c**\"!", "(<em>b</em>), \"<strong>c</strong>\"!"], ["**see https://example.org/a_b_c**", "<strong>see </strong><strong>[https://example.org/a_b_c]</strong>"],
    ["2*3*4", "2*3*4"], ["snake_case_name", "snake_case_name"], ["* a\n* b", "* a\n* b"], ["**a", "**a"], ["a** b**", "a** b**"], ["**", "**"], ["****", "****"], ["*a\nb*", "*a\nb*"],
    ["`", "`"], ["``", "``"], ["", ""], ["*a **b* c**", "<em>a **b</em> c**"], ["<b>*x*</b>", "<b><em>x</em></b>"],
  ];
  for (const [text, expected] of cases) assert.equal(shown(text), expected, text);
  const begun = performance.now();
  for (const sign of ["*", "**a", "a**", "_", " *a", "`", "```", "` ", "~~", "*a* "]) pieces(sign.repeat(Math.floor(2000 / sign.length)));
  assert.ok(performance.now() - begun < 1000);
  const deep = (sign, within) => `${sign}a `.repeat(333) + within + `a${sign} `.repeat(333);
  assert.deepEqual(pieces(deep("*", "")).map(one => one.marks.join()), ["em", ""], "each mark is once around a text, however deep it lies");
  assert.ok(pieces(deep("**", deep("*", "~~b~~ "))).every(one => one.marks.length <= 3));
});

test("who was in a meeting is told once with all their stays, and how many at once are people, not seats", () => {
  const at = seconds => new Date(seconds * 1000).toISOString(), event = (seconds, kind, participant, person, name = person) => ({ at: at(seconds), kind, participant, person, name });
  const { people, most } = attendance([
    event(0, "joined", "s1", "anna"), event(10, "joined", "s2", "ben"), event(20, "left", "s2", "ben"), event(20, "joined", "s3", "gina"),
    event(25, "joined", "s4", "anna"), event(30, "renamed", "s3", "gina", "Gina G."), event(40, "left", "s1", "anna"), event(50, "kicked", "s3", "gina", "Gina G."),
    event(60, "joined", "s5", "ben"), event(70, "left", "s9", "nobody"), event(70, "admitted", "w1", "waits"),
  ], 100_000);
  assert.deepEqual(people.map(one => [one.name, one.stayed / 1000, one.stays.map(({ from, to }) => [from / 1000, to === null ? null : to / 1000])]), [
    ["anna", 100, [[0, null]]], ["ben", 50, [[10, 20], [60, null]]], ["Gina G.", 30, [[20, 50]]],
  ]);
  assert.equal(most, 2);
  assert.deepEqual(attendance([], 0), { people: [], most: 0 });
  // Ten thousand times in and out, of one person: as often as anything is kept.
  const restless = Array.from({ length: 10_000 }, (_, number) => event(number, number % 2 ? "left" : "joined", `s${number >> 1}`, "anna"));
  const begun = performance.now(), found = attendance(restless, 0);
  assert.ok(performance.now() - begun < 1000);
  assert.deepEqual([found.most, found.people.length, found.people[0].stays.length, found.people[0].stayed], [1, 1, 5000, 5_000_000]);
});

test("reactions rise beside each other, so many at once, and are over by themselves; one that is not known is none", () => {
  const floats = new Floats();
  for (let at = 0; at < 40; at++) floats.add({ participant: "a", reaction: "clap" }, at);
  assert.deepEqual([floats.shown.length, new Set(floats.shown.map(one => one.lane)).size, new Set(floats.shown.map(one => one.id)).size], [24, 6, 24]);
  floats.add({ reaction: "<script>" }, 50);
  floats.add({ reaction: "toString" }, 50);
  assert.equal(floats.shown.every(one => one.reaction === "clap"), true);
  assert.equal(floats.prune(40), 16 + lasting);
  assert.equal(floats.prune(39 + lasting), null);
  assert.deepEqual(floats.shown, []);
  assert.deepEqual(Object.keys(signs).sort(), [...reactions].sort());
});

const conditions = { isLocked: false, hasChat: true, spotlight: [] };
const speaking = ["chat_public_receive", "chat_public_text", "chat_private_receive"];
const all = ["kick", "pin", "spotlight", "disable_audio", "disable_video", "disable_screen_share", "admit", "accept_production", "change_permissions", "rename", "see_participants", ...speaking, "chat_private_text"];
/** As the server tells them of its presets. */
const told = (role, preset, media, allowed) => ({ role, preset, audio: media, video: media, screenShare: media === "allowed" ? "allowed" : "denied", allowed, isChatMuted: false });
const host = told("host", "video_host", "allowed", all), coHost = { ...host, role: "co_host" };
const member = told("participant", "video_participant", "allowed", ["pin", "see_participants", ...speaking, "chat_private_text"]);
const guest = { ...told("guest", "video_guest", "allowed", ["see_participants", ...speaking]), screenShare: "denied" };
const speaker = told("participant", "webinar_participant", "on_request", ["pin", "see_participants", ...speaking]);
const viewer = told("viewer", "webinar_viewer", "denied", ["chat_public_receive"]);
const person = (id, meetingRole, change = {}) => ({ id, name: id, role: "member", isAway: false, meetingRole, tracks: [], ...change });
const names = of => Object.entries(of).filter(([, may]) => (Array.isArray(may) ? may.length > 0 : may)).map(([name, may]) => (typeof may === "boolean" ? name : `${name}:${may}`)).join(" ");

test("what somebody does for themselves and to the room is what their role lets them, and nothing before the server has said so", () => {
  assert.equal(names(powers(null, conditions)), "silence:role");
  assert.equal(names(powers(host, conditions)), "hand read write whisper moderate stage spotlight hush");
  assert.equal(names(powers(member, conditions)), "hand read write whisper");
  assert.equal(names(powers(guest, conditions)), "hand read write");
  assert.equal(names(powers(speaker, conditions)), "hand asks read write");
  assert.equal(names(powers(viewer, conditions)), "read silence:role");
  assert.equal(names(powers({ ...guest, isChatMuted: true }, conditions)), "hand read silence:muted");
  assert.equal(names(powers(host, { ...conditions, hasChat: false })), "hand read silence:off moderate stage spotlight hush");
});

test("hosts do to those below them what is theirs, to their equals no more than switch off, and others nothing but write where they may", () => {
  const tracks = [{ mid: "0", kind: "audio", source: "microphone" }, { mid: "1", kind: "video", source: "camera" }], gina = person("gina", "guest", { tracks, hand: 7 });
  const of = (who, other, more = conditions) => names(deeds(who, more, "me", other));
  assert.equal(of(host, gina), "stop:audio,video lower spotlight whisper rename roles:participant,co_host silence remove");
  assert.equal(of(host, { ...gina, off: ["audio"], hand: null }), "stop:video spotlight whisper rename roles:participant,co_host silence remove");
  assert.equal(of(coHost, person("paul", "co_host", { tracks })), "stop:audio,video spotlight whisper");
  assert.equal(of(coHost, person("olga", "host", { tracks })), "spotlight whisper");
  assert.equal(of(host, person("me", "host", { tracks, hand: 1 })), "spotlight rename", "nobody sends themselves away, or lets themselves speak");
  assert.equal(of(member, gina), "whisper");
  assert.equal(of(guest, person("ben", "participant", { tracks })), "");
  assert.equal(of(member, person("vera", "viewer")), "", "who only watches reads nothing that is for one");
  assert.equal(of({ ...member, isChatMuted: true }, gina), "");
  assert.equal(of(host, person("x", "guest"), { ...conditions, hasChat: false }), "spotlight rename roles:participant,co_host silence remove");
  assert.equal(of(null, gina), "");
});

test("on a stage those are let speak who need leave for it", () => {
  const stage = { ...host, preset: "webinar_host" }, isLet = (who, role) => deeds(who, conditions, "me", person("x", role)).stage;
  assert.deepEqual(["viewer", "guest", "participant", "co_host"].map(role => isLet(stage, role)), [false, true, true, false]);
  assert.deepEqual(["viewer", "participant"].map(role => isLet({ ...host, preset: "livestream_host" }, role)), [false, true]);
  assert.equal(isLet(host, "guest"), false);
  assert.equal(isLet(speaker, "participant"), false);
  assert.deepEqual(deeds(stage, conditions, "me", person("x", "guest")).roles, ["viewer", "participant", "co_host"]);
});

test("hands are answered in the order in which they went up, and who is large for all is one more or one less", () => {
  const people = [person("a", "guest", { hand: 9 }), person("b", "guest"), person("c", "guest", { hand: 3 }), person("d", "guest", { hand: null })];
  assert.deepEqual(hands(people).map(one => one.id), ["c", "a"]);
  assert.deepEqual([spotlit([], "a"), spotlit(["b"], "a"), spotlit(["b", "a"], "b")], [["a"], ["b", "a"], ["a"]]);
});

test("once one is in the server's word is what one may send: leave that is needed is none, and leave that was given is", () => {
  assert.deepEqual(rightsOf(guest), rights("video_guest"));
  assert.deepEqual(rightsOf(member), rights("video_participant"));
  assert.deepEqual(rightsOf(host), rights("video_host"));
  assert.deepEqual(rightsOf(speaker), rights("webinar_participant"));
  assert.deepEqual(rightsOf({ ...speaker, audio: "allowed" }), { ...rights("webinar_participant"), microphone: true });
});
