import Foundation
import RTP
import SDP

/// A browser's text from Tests/Fixtures/sdp.
func fixture(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: fixtures.appendingPathComponent(name)))
}

let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/sdp")

func fixtureNames(_ part: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: fixtures.path)) ?? []
    return names.filter { $0.hasSuffix(".sdp") && $0.contains(part) }.sorted()
}

/// With CRLF at the end of each line.
func sdp(_ lines: String...) -> String { lines.map { $0.split(separator: "\n").joined(separator: "\r\n") + "\r\n" }.joined() }

let start = "v=0\no=- 4962303333179871722 2 IN IP4 127.0.0.1\ns=-\nt=0 0"
let digest = (0..<32).map { _ in "AB" }.joined(separator: ":")
let transport = "a=ice-ufrag:abcd\na=ice-pwd:0123456789abcdefghijkl\na=fingerprint:sha-256 \(digest)\na=setup:actpass"

let local = LocalTransport(
    ufrag: "serverfrag", password: "serverpasswordserverpass", fingerprint: Fingerprint(.sha256, [UInt8](repeating: 0xcd, count: 32))!,
    candidates: [
        Candidate(host: "192.0.2.2", port: 7000, transport: .udp, preference: 65_535, foundation: "1"),
        Candidate(host: "192.0.2.2", port: 7000, transport: .tcp(.passive), preference: 65_535, foundation: "2"),
    ])

func answerer(_ codecs: RoomCodecs = .standard) -> Answerer { Answerer(codecs: codecs, local: local, sessionID: 42) }

let anything = Answerer.Purpose.publish(accepts: [.audio, .video, .application])

func track(_ codec: RoomCodec, _ number: UInt32) -> SentTrack {
    SentTrack(
        codec: codec, stream: StreamName(stream: "s\(number)", track: "t\(number)"), name: "c\(number)", source: 1000 + number,
        retransmissionSource: codec == .opus ? nil : 2000 + number)
}
