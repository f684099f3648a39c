// What a browser counts of a meeting, as it is shown to whoever looks into a fault.
import assert from "node:assert/strict";
import test from "node:test";
import { vitals } from "../live/Vitals";

const sent = (timestamp, bytesSent, packetsSent, more) => ({ id: "O", type: "outbound-rtp", kind: "video", mid: "1", rid: "h", timestamp, bytesSent, packetsSent, ...more });
const told = (packetsLost, jitter) => ({ id: "R", type: "remote-inbound-rtp", kind: "video", localId: "O", timestamp: 0, packetsLost, jitter, roundTripTime: 0.05 });
const came = (timestamp, bytesReceived, packetsReceived, packetsLost) =>
  ({ id: "I", type: "inbound-rtp", kind: "audio", timestamp, bytesReceived, packetsReceived, packetsLost, jitter: 0.004 });

test("a rate, what was lost and how good it was are of the time between two looks; what is sent is lost as the other end tells", () => {
  const picture = { frameWidth: 640, frameHeight: 360, framesPerSecond: 15, qualityLimitationReason: "cpu" };
  const { tracks } = vitals([sent(1000, 0, 0), told(0, 0.01), came(1000, 0, 0, 0)], [sent(3000, 250_000, 200, picture), told(10, 0.012), came(3000, 16_000, 100, 0)]);
  assert.deepEqual(tracks.map(one => one.id), ["I", "O"], "sound first");
  const [sound, video] = tracks;
  assert.deepEqual([video.bitrate, video.loss, video.jitterMs, video.limit, video.quality], [1_000_000, 0.05, 12, "cpu", "average"]);
  assert.deepEqual([video.width, video.height, video.frames], [640, 360, 15]);
  assert.deepEqual([sound.bitrate, sound.loss, sound.limit, sound.quality], [64_000, 0, null, "good"]);
});

test("of the first look, and of a connection that counts anew, no rate is made up", () => {
  const [first] = vitals([], [sent(1000, 5000, 10)]).tracks;
  assert.deepEqual([first.bitrate, first.loss, first.quality], [null, null, null]);
  const [anew] = vitals([came(1000, 9000, 90, 0)], [came(2000, 100, 1, 0)]).tracks;
  assert.deepEqual([anew.bitrate, anew.loss, anew.quality], [0, null, null]);
});

test("the way is that of the pair in use, by the transport to the relay where it is one", () => {
  const all = (own, more) => [
    { id: "T", type: "transport", timestamp: 0, selectedCandidatePairId: "P" }, { id: "P", type: "candidate-pair", timestamp: 0, localCandidateId: "L", ...more },
    { id: "L", type: "local-candidate", timestamp: 0, protocol: "udp", ...own },
  ];
  assert.deepEqual(vitals([], all({ candidateType: "relay", relayProtocol: "tls" }, { currentRoundTripTime: 0.02 })).route, { way: "relay tls", roundTripMs: 20 });
  assert.deepEqual(vitals([], all({ candidateType: "host" })).route, { way: "host udp", roundTripMs: null });
  assert.equal(vitals([], []).route, null);
});
