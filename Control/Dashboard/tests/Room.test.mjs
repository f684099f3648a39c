// Somebody's seat in a room, by what the server says.
import assert from "node:assert/strict";
import test from "node:test";
import { Room } from "../live/Room";

/** A socket that says what the test has it say, and keeps what it is sent. */
class Socket {
  sent = [];
  isOpen = true;
  send(text) { this.sent.push(JSON.parse(text)); }
  close() { this.isOpen = false; }
  say(type, body) { this.onmessage({ data: JSON.stringify({ type, body }) }); }
}

const person = (id, name) => ({ id, name, role: "guest", isAway: false, tracks: [] });

/** A room whose first socket is open. */
function begun() {
  const sockets = [], room = new Room("pass", () => {
    sockets.push(new Socket());
    return sockets.at(-1);
  });
  room.start();
  sockets[0].onopen();
  return { room, sockets };
}

function seated() {
  const { room, sockets } = begun();
  sockets[0].say("done", { id: 1, entry: { participant: "b", resume: "token" } });
  sockets[0].say("snapshot", { seq: 7, participants: [person("b", "Ben"), person("a", "Anna")] });
  return { room, sockets };
}

async function dialled(sockets, count) {
  for (let waited = 0; sockets.length < count && waited < 5000; waited += 20) await new Promise(done => setTimeout(done, 20));
  assert.equal(sockets.length, count);
  sockets[count - 1].onopen();
}

test("comes in by the pass, in its first message, knows who is there, and is out when the server says so", () => {
  const { room, sockets: [socket] } = begun();
  assert.deepEqual(socket.sent, [{ id: 1, order: { type: "join", body: { token: "pass" } } }]);
  assert.equal(room.view.is, "connecting");
  socket.say("done", { id: 1, entry: { participant: "b", resume: "token" } });
  socket.say("snapshot", { seq: 7, participants: [person("b", "Ben"), person("a", "Anna")] });
  socket.say("participant", { seq: 8, participant: person("c", "Cleo") });
  socket.say("left", { seq: 9, participant: "a" });
  socket.say("alive");
  assert.deepEqual([room.view.is, room.view.me, room.view.people.map(one => one.name).join()], ["in", "b", "Ben,Cleo"]);
  room.leave();
  assert.equal(socket.sent[1].order.type, "leave");
  socket.say("over", { reason: "left" });
  assert.deepEqual(room.view, { is: "over", why: "left" });
  assert.equal(socket.isOpen, false);
});

test("a lost connection is made again by the token, and by the pass where the seat is gone; whom that lets in no more is told so", async () => {
  const { room, sockets } = seated();
  sockets[0].onclose();
  assert.deepEqual([room.view.is, room.view.people.length], ["lost", 2]);
  await dialled(sockets, 2);
  const [, socket] = sockets;
  assert.deepEqual(socket.sent[0].order, { type: "resume", body: { token: "token", seq: 7 } });
  socket.say("refused", { id: 1, reason: "resume", text: "" });
  assert.deepEqual(socket.sent[1].order, { type: "join", body: { token: "pass" } });
  socket.say("refused", { id: 1, reason: "pass", text: "" });
  assert.deepEqual(room.view, { is: "over", why: "pass" });
});

test("where a change is missing everything is asked for again, and what is refused later ends nothing", async () => {
  const { room, sockets } = seated();
  sockets[0].say("refused", { id: 2, reason: "order", text: "" });
  assert.equal(room.view.is, "in");
  sockets[0].say("participant", { seq: 9, participant: person("c", "Cleo") });
  assert.equal(room.view.is, "lost");
  await dialled(sockets, 2);
  assert.deepEqual(sockets[1].sent[0].order.body, { token: "token", seq: null });
  room.stop();
});

test("a full room, and whatever else is refused, is the end; who leaves unheard has left", () => {
  for (const [reason, why] of [["full", "full"], ["locked", "locked"], ["away", "failed"]]) {
    const { room, sockets: [socket] } = begun();
    socket.say("refused", { id: 1, reason, text: "" });
    assert.deepEqual(room.view, { is: "over", why });
  }
  const { room } = begun();
  room.leave();
  assert.deepEqual(room.view, { is: "over", why: "left" });
});

test("whose connection is lost while they leave does not come back", async () => {
  const { room, sockets } = seated();
  room.leave();
  sockets[0].onclose();
  assert.deepEqual(room.view, { is: "over", why: "left" });
  const silent = seated();
  silent.room.leave();
  assert.equal(silent.room.view.is, "in");
  await new Promise(done => setTimeout(done, 2100));
  assert.deepEqual([silent.room.view, sockets.length, silent.sockets.length], [{ is: "over", why: "left" }, 1, 1]);
  assert.equal(silent.sockets[0].isOpen, false);
});

const follower = () => {
  const told = [];
  return { told, entered: goesOn => told.push(["entered", goesOn.publishes, goesOn.subscribes]), offered: offer => told.push(["offered", offer.number]), ended: side => told.push(["ended", side]) };
};

test("what is asked is answered by its number, whatever the order, and a refusal says why", async () => {
  const { room, sockets: [socket] } = seated();
  const publish = room.ask({ type: "publish", body: { offer: "o", tracks: [] } }), subscribe = room.ask({ type: "subscribe" });
  const [first, second] = socket.sent.slice(1);
  assert.deepEqual([first.order.type, second.order.type], ["publish", "subscribe"]);
  socket.say("refused", { id: second.id, reason: "away", text: "no worker" });
  socket.say("done", { id: first.id, answer: "a" });
  assert.equal(await publish, "a");
  await assert.rejects(subscribe, { reason: "away", message: "no worker" });
  room.stop();
});

test("what was asked when the connection was lost is nobody's, and who follows is told what of their connections goes on", async () => {
  const { room, sockets } = seated(), seen = follower();
  room.follow(seen);
  sockets[0].say("offer", { number: 1, isFirst: true, offer: "", tracks: [] });
  const asked = room.ask({ type: "subscribe" });
  sockets[0].onclose();
  await assert.rejects(asked, { reason: "lost" });
  await assert.rejects(room.ask({ type: "subscribe" }), { reason: "lost" });
  await dialled(sockets, 2);
  sockets[1].say("done", { id: 1, entry: { participant: "b", resume: "token", publishes: true, subscribes: false } });
  sockets[1].say("ended", { side: "publish" });
  assert.deepEqual(seen.told, [["offered", 1], ["entered", true, false], ["ended", "publish"]]);
  room.stop();
});

test("whose seat and pass are both over comes in by another pass, once; and nobody does where there is none", async () => {
  const passes = ["another"], sockets = [];
  const room = new Room("pass", () => {
    sockets.push(new Socket());
    return sockets.at(-1);
  }, async () => passes.shift() ?? null);
  room.start();
  sockets[0].onopen();
  sockets[0].say("done", { id: 1, entry: { participant: "b", resume: "token", publishes: false, subscribes: false } });
  for (const [at, pass] of [[1, "pass"], [3, "another"]]) {
    sockets.at(-1).onclose();
    await dialled(sockets, at + 1);
    sockets[at].say("refused", { id: 1, reason: "resume", text: "" });
    assert.equal(sockets[at].sent[1].order.body.token, pass);
    sockets[at].say("refused", { id: 1, reason: "pass", text: "" });
    await new Promise(done => setTimeout(done, 10));
    if (at === 3) break;
    await dialled(sockets, at + 2);
    assert.deepEqual(sockets[at + 1].sent[0].order, { type: "join", body: { token: "another" } });
    sockets[at + 1].say("done", { id: 1, entry: { participant: "c", resume: "next", publishes: false, subscribes: false } });
    assert.deepEqual([room.view.is, room.view.me], ["in", "c"]);
  }
  assert.deepEqual(room.view, { is: "over", why: "pass" });
});

test("changes that this version does not know, and those that are not for it, are counted; one that is missing is asked for all the same", () => {
  const { room, sockets: [socket] } = seated();
  socket.say("passed", { seq: 11 });
  socket.say("newer", { seq: 12, text: "" });
  socket.say("rights", { role: "host" });
  socket.say("participant", { seq: 13, participant: person("c", "Cleo") });
  assert.deepEqual([room.view.is, room.view.people.length], ["in", 3]);
  socket.say("newer", { seq: 15 });
  assert.equal(room.view.is, "lost");
  room.stop();
});

const message = (id, change = {}) => ({ id, from: "a", name: "Anna", text: id, atMs: 0, isPinned: false, ...change });
const written = room => room.chat.messages.map(one => one.id).join();

test("what is written, pinned and taken back is known as it is told, and who comes back knows what they have missed", async () => {
  const { room, sockets } = begun();
  const conditions = { isLocked: false, hasChat: true, spotlight: ["a"] };
  sockets[0].say("done", { id: 1, entry: { participant: "b", resume: "token" } });
  sockets[0].say("snapshot", { seq: 7, participants: [person("b", "Ben")], conditions, chat: [message("m1")] });
  sockets[0].say("rights", { role: "guest", preset: "video_guest", audio: "allowed", video: "allowed", screenShare: "denied", allowed: [], isChatMuted: false });
  assert.deepEqual([written(room), room.conditions.spotlight, room.rights.role], ["m1", ["a"], "guest"]);
  sockets[0].say("chat", { seq: 8, message: message("m2") });
  sockets[0].say("chat", { seq: 9, message: message("m3", { from: "b" }) });
  sockets[0].say("chat", { seq: 10, message: message("m1", { isPinned: true }) });
  assert.deepEqual([written(room), room.chat.unread, room.chat.pinned.length], ["m1,m2,m3", 1, 1]);
  room.see();
  assert.equal(room.chat.unread, 0);
  sockets[0].say("unsaid", { seq: 11, message: "m2" });
  sockets[0].say("conditions", { seq: 12, conditions: { ...conditions, isLocked: true } });
  assert.deepEqual([written(room), room.conditions.isLocked, room.view.is], ["m1,m3", true, "in"]);
  sockets[0].onclose();
  await dialled(sockets, 2);
  assert.deepEqual(sockets[1].sent[0].order.body, { token: "token", seq: 12 });
  sockets[1].say("done", { id: 1, entry: { participant: "b", resume: "token" } });
  sockets[1].say("chat", { seq: 13, message: message("m4") });
  assert.deepEqual([written(room), room.chat.unread], ["m1,m3,m4", 1]);
  room.stop();
});

test("what was written before is read by its place, what is found is told apart from it, and a refusal changes nothing", async () => {
  const { room, sockets: [socket] } = seated();
  socket.say("chat", { seq: 8, message: message("m5") });
  const older = room.readOlder();
  assert.deepEqual(socket.sent.at(-1).order, { type: "history", body: { before: "m5" } });
  socket.say("done", { id: socket.sent.at(-1).id, messages: [message("m3"), message("m4")] });
  await older;
  assert.equal(written(room), "m3,m4,m5");
  // Everything is told anew while one waits.
  const late = room.readOlder();
  const { id } = socket.sent.at(-1);
  socket.say("snapshot", { seq: 20, participants: [person("b", "Ben")], chat: [message("m9")] });
  socket.say("done", { id, messages: [message("m1")] });
  await late;
  assert.equal(written(room), "m9");
  const found = room.search("needle");
  socket.say("done", { id: socket.sent.at(-1).id, messages: [message("m2")] });
  assert.deepEqual([(await found).map(one => one.id), written(room)], [["m2"], "m9"]);
  const refused = room.ask({ type: "say", body: { text: "no" } });
  socket.say("refused", { id: socket.sent.at(-1).id, reason: "limited", text: "30 times in 60 s is the most: again in 12 s" });
  await assert.rejects(refused, { reason: "limited" });
  assert.equal(room.view.is, "in");
  room.stop();
});

test("reactions are counted as changes and told to whoever looks, once, and change nothing that stays", () => {
  const { room, sockets: [socket] } = seated(), seen = [];
  const end = room.spectate(one => seen.push(`${one.participant} ${one.reaction}`)), { view } = room;
  socket.say("reaction", { seq: 8, participant: "a", reaction: "clap" });
  socket.say("reaction", { seq: 9, reaction: "heart" });
  assert.equal(room.view, view);
  end();
  socket.say("reaction", { seq: 10, participant: "a", reaction: "clap" });
  assert.deepEqual([seen, room.view.is], [["a clap", "undefined heart"], "in"]);
  socket.say("reaction", { seq: 12, participant: "a", reaction: "clap" });
  assert.equal(room.view.is, "lost");
  room.stop();
});
