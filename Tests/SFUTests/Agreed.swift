import SDP
import Testing

/// What an encoder's offer of sound and a picture comes to.
enum Agreed {
    static let digest = (0..<32).map { _ in "AB" }.joined(separator: ":")

    static func local() throws -> LocalTransport {
        LocalTransport(
            ufrag: "serverfrag", password: "serverpasswordserverpass",
            fingerprint: try #require(Fingerprint(.sha256, [UInt8](repeating: 0xcd, count: 32))), candidates: [])
    }

    static func sections() throws -> [AgreedSection] {
        let transport = [
            "a=ice-ufrag:abcd", "a=ice-pwd:0123456789abcdefghijkl", "a=fingerprint:sha-256 \(digest)", "a=setup:actpass",
            "a=rtcp-mux", "a=sendonly",
        ]
        let lines =
            ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"]
            + ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:0"] + transport + ["a=rtpmap:111 opus/48000/2"]
            + ["m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:1"] + transport + ["a=rtpmap:96 VP8/90000"]
        let offer = try SessionDescription(parsing: lines.map { $0 + "\r\n" }.joined())
        var answerer = Answerer(codecs: .standard, local: try local(), sessionID: 1)
        return try answerer.answer(to: offer, .publish(accepts: [.audio, .video])).sections
    }
}
