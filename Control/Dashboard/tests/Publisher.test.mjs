// What is sent and what is got, by a PeerConnection that is none.
import assert from "node:assert/strict";
import test from "node:test";
import { Refused } from "../live/Room";
import { Publisher } from "../media/Publisher";
import { Subscriber } from "../media/Subscriber";

/** As much of a PeerConnection as is asked for. */
class Peer {
  all = [];
  isClosed = false;
  restarts = 0;
  addTransceiver(track, { direction, sendEncodings }) {
    const section = {
      mid: null, direction, sendEncodings, isStopped: false, sender: { track: typeof track === "string" ? null : track, replaceTrack: async next => { section.sender.track = next; } },
      receiver: { track: { id: `r${this.all.length}` } }, stop: () => { section.isStopped = true; },
    };
    this.all.push(section);
    return section;
  }
  getTransceivers() { return this.all; }
  restartIce() { this.restarts++; }
  async setLocalDescription() {
    for (const [at, section] of this.all.entries()) section.mid ??= String(at);
    this.localDescription = { sdp: this.all.map(one => `${one.mid}:${one.isStopped ? "stopped" : one.direction}`).join() };
  }
  async setRemoteDescription(description) { this.remoteDescription = description; }
  close() { this.isClosed = true; }
}

const track = (id, height) => ({ id, getSettings: () => ({ height }) });
const rest = () => new Promise(done => setTimeout(done, 5));

/** A publisher, what it has asked for, and the connections that it has made. */
function publishing(answer = () => "answer") {
  const asked = [], peers = [], forbidden = [];
  const publisher = new Publisher(async order => {
    asked.push(order);
    return answer(order, asked.length);
  }, () => {
    peers.push(new Peer());
    return peers.at(-1);
  }, () => undefined, () => forbidden.push(asked.length));
  const said = () => asked.map(({ type, body }) => `${type} ${body.offer} ${body.tracks.map(one => `${one.mid}=${one.source}`).join()}`);
  return { publisher, asked, peers, said, forbidden };
}

test("each source is offered by itself: sound keeps the first section and is muted by its direction, pictures come and go with theirs", async () => {
  const { publisher, peers, said } = publishing();
  publisher.send("camera", track("c", 720));
  await rest();
  publisher.send("microphone", track("m"));
  await rest();
  publisher.send("microphone", null);
  publisher.send("camera", null);
  publisher.send("screen", track("s", 1080));
  await rest();
  assert.deepEqual(said(), [
    "publish 0:inactive,1:sendonly 1=camera", "renegotiate 0:sendonly,1:sendonly 0=microphone,1=camera", "renegotiate 0:inactive,1:stopped,2:sendonly 2=screen",
  ]);
  assert.equal(peers.length, 1);
  assert.deepEqual(peers[0].all[1].sendEncodings.map(one => one.rid), ["q", "h", "f"]);
  assert.deepEqual([peers[0].all[2].sendEncodings[0].maxFramerate, peers[0].remoteDescription.sdp], [15, "answer"]);
});

test("another device of the same kind is no news to the server", async () => {
  const { publisher, asked, peers } = publishing();
  publisher.send("microphone", track("m"));
  await rest();
  publisher.send("microphone", track("other"));
  await rest();
  assert.deepEqual([asked.length, peers[0].all[0].sender.track.id], [1, "other"]);
});

test("after an exchange that nobody knows the end of, and where the server has none any more, all is offered anew; while it has it nothing is", async () => {
  let isLost = true;
  const { publisher, asked, peers } = publishing(() => { if (isLost) throw new Refused("lost"); return "answer"; });
  publisher.send("microphone", track("m"));
  await rest();
  assert.deepEqual([asked.length, peers[0].isClosed, publisher.refusal], [1, true, null]);
  isLost = false;
  publisher.entered(true);
  await rest();
  assert.deepEqual([asked[1].type, peers.length], ["publish", 2]);
  publisher.entered(true);
  await rest();
  assert.equal(asked.length, 2);
  publisher.entered(false);
  await rest();
  assert.deepEqual([asked[2].type, peers[1].isClosed], ["publish", true]);
});

test("ICE is restarted within the connection; what is forbidden is not tried again, and what the worker has no time for is", async () => {
  const { publisher, asked, peers, forbidden } = publishing((_, count) => {
    if (count === 3) throw new Refused("forbidden");
    if (count === 4) throw new Refused("away");
    return "answer";
  });
  publisher.send("microphone", track("m"));
  await rest();
  publisher.restart();
  await rest();
  assert.deepEqual([asked[1].type, peers[0].restarts, peers.length], ["renegotiate", 1, 1]);
  publisher.send("camera", track("c", 480));
  await rest();
  assert.deepEqual([publisher.refusal, publisher.wants("camera"), publisher.wants("microphone"), peers[0].isClosed], ["forbidden", false, false, true]);
  assert.deepEqual(forbidden, [3], "whoever has the devices is told, once");
  publisher.send("microphone", track("m"));
  await rest();
  assert.equal(publisher.refusal, "away");
  await new Promise(done => setTimeout(done, 1100));
  assert.deepEqual([asked.length, asked[4].type, publisher.refusal, forbidden.length], [5, "publish", null, 1]);
  publisher.stop();
});

test("a connection that is closed while it describes itself holds up nothing: in a browser it never says that it has", async () => {
  const { publisher, asked, peers } = publishing();
  publisher.send("microphone", track("m"));
  peers[0].setLocalDescription = () => new Promise(() => undefined);
  // The seat is there now, and its connections are made anew.
  publisher.entered(false);
  await rest();
  assert.deepEqual([peers.length, peers[0].isClosed, asked.map(one => one.type)], [2, true, ["publish"]]);
  peers[1].setRemoteDescription = () => new Promise(() => undefined);
  publisher.restart();
  await rest();
  publisher.renew();
  await rest();
  assert.deepEqual([peers.length, asked.map(one => one.type)], [3, ["publish", "renegotiate", "publish"]]);
});

test("who may send nothing any more has no connection to send by, and is told of no trouble with one", async () => {
  let answer = () => "answer";
  const { publisher, asked, peers } = publishing(() => answer());
  publisher.send("microphone", track("m"));
  await rest();
  // It is renegotiated while the server ends it.
  answer = () => { throw new Refused("forbidden"); };
  publisher.send("microphone", null);
  publisher.silence();
  await rest();
  publisher.renew();
  await rest();
  assert.deepEqual([peers.length, peers[0].isClosed, publisher.peer, publisher.refusal], [1, true, null, null]);
  const before = asked.length;
  answer = () => "answer";
  publisher.send("microphone", track("m"));
  await rest();
  assert.deepEqual([asked.length, asked.at(-1).type, peers.length], [before + 1, "publish", 2]);
});

/** A subscriber whose connections have two sections. */
function subscribing(answer = () => "") {
  const asked = [], peers = [];
  const subscriber = new Subscriber(async order => {
    asked.push(order);
    return answer(order);
  }, () => {
    const peer = new Peer();
    peer.addTransceiver("audio", {});
    peer.addTransceiver("video", {});
    peers.push(peer);
    return peer;
  }, () => undefined);
  return { subscriber, asked, peers };
}

const offer = (number, isFirst, ...tracks) => ({ number, isFirst, offer: `offer ${number}`, tracks });

test("offers are answered one by one, and what lies in which section is known from then on", async () => {
  const { subscriber, asked, peers } = subscribing();
  subscriber.entered(false);
  subscriber.offered(offer(1, true, { mid: "0", participant: "a", track: "5" }));
  subscriber.offered(offer(2, false, { mid: "0", participant: "a", track: "5" }, { mid: "1", participant: "b", track: "7" }, { mid: "9", participant: "c", track: "1" }));
  await rest();
  assert.deepEqual(asked.map(one => one.body?.number ?? one.type), ["subscribe", 1, 2]);
  assert.deepEqual(subscriber.lines.map(one => [one.participant, one.track, one.media.id]), [["a", "5", "r0"], ["b", "7", "r1"]]);
  assert.equal(peers.length, 1);
});

test("an offer that comes again is answered as before, an older one not at all, and the first of another connection begins one", async () => {
  const { subscriber, asked, peers } = subscribing();
  subscriber.offered(offer(3, true));
  await rest();
  subscriber.offered(offer(3, true));
  subscriber.offered(offer(2, false));
  await rest();
  assert.deepEqual(asked.map(one => one.body.number), [3, 3]);
  assert.deepEqual(asked[1].body, asked[0].body);
  subscriber.offered(offer(4, true));
  await rest();
  assert.deepEqual([peers.length, peers[0].isClosed], [2, true]);
});

test("what belongs to a connection that is over is passed over, and another seat counts its offers anew", async () => {
  const { subscriber, asked, peers } = subscribing();
  subscriber.offered(offer(5, true));
  await rest();
  subscriber.renew();
  subscriber.offered(offer(6, false));
  await rest();
  assert.deepEqual([peers.length, asked.at(-1).type], [1, "subscribe"]);
  subscriber.entered(false);
  subscriber.offered(offer(1, true));
  await rest();
  assert.deepEqual([peers.length, asked.at(-1).body.number], [2, 1]);
});

test("an offer that is being answered when its connection is made anew asks for no other one", async () => {
  const { subscriber, asked, peers } = subscribing();
  subscriber.offered(offer(1, true));
  await rest();
  let fail;
  peers[0].setRemoteDescription = () => new Promise((_, reject) => { fail = reject; });
  subscriber.offered(offer(2, false));
  await rest();
  subscriber.renew();
  fail(new Error("the connection is closed"));
  await rest();
  assert.deepEqual(asked.map(one => one.body?.number ?? one.type), [1, "subscribe"]);
});

test("offers after one that was never taken up, as its connection was closed, are answered", async () => {
  const { subscriber, asked, peers } = subscribing();
  subscriber.offered(offer(1, true));
  await rest();
  peers[0].setRemoteDescription = () => new Promise(() => undefined);
  subscriber.offered(offer(2, false));
  await rest();
  subscriber.renew();
  subscriber.offered(offer(3, true));
  await rest();
  assert.deepEqual([peers.length, asked.map(one => one.body?.number ?? one.type)], [2, [1, "subscribe", 3]]);
});
