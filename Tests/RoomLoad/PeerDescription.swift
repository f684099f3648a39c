import Posix
import SDP
import TLS

/// What a peer of the load says of itself: one section of pictures in VP8, over one socket. It shakes hands as the client.
struct PeerDescription: Sendable {
    enum Use: Hashable, Sendable { case publish, play }

    let use: Use
    let ufrag: String
    let password: String
    /// Of the certificate, as `a=fingerprint` has it.
    let fingerprint: String
    let address: SocketAddress
    /// Of whoever publishes.
    let source: UInt32
    let feedback: RoomLoadPlan.Feedback

    func offer() -> String {
        let direction = use == .publish ? "sendonly" : "recvonly"
        return text(direction, mid: "0", payloadType: RoomLoadPlan.payloadType)
    }

    /// To a server that offers what it sends.
    func answer(to offer: RemoteEnd) -> String { text("recvonly", mid: offer.mid, payloadType: offer.payloadType) }

    private func text(_ direction: String, mid: String, payloadType: UInt8) -> String {
        let isPaced = use == .play && feedback == .transport
        var lines = [
            "v=0", "o=- 1 1 IN IP4 \(address.host)", "s=-", "t=0 0", "a=group:BUNDLE \(mid)",
            "m=video 9 UDP/TLS/RTP/SAVPF \(payloadType)\(isPaced ? " \(RoomLoadPlan.repeatType)" : "")",
            "c=IN IP4 \(address.host)", "a=rtcp-mux", "a=\(direction)", "a=mid:\(mid)", "a=ice-ufrag:\(ufrag)", "a=ice-pwd:\(password)",
            "a=fingerprint:\(fingerprint)", "a=setup:active", "a=rtpmap:\(payloadType) VP8/90000", "a=rtcp-fb:\(payloadType) nack",
            "a=rtcp-fb:\(payloadType) nack pli",
        ]
        if isPaced {
            lines += [
                "a=rtcp-fb:\(payloadType) transport-cc", "a=rtpmap:\(RoomLoadPlan.repeatType) rtx/90000",
                "a=fmtp:\(RoomLoadPlan.repeatType) apt=\(payloadType)",
                "a=extmap:\(RoomLoadPlan.numberExtension) http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
            ]
        }
        if use == .publish { lines += ["a=msid:load load", "a=ssrc:\(source) cname:load"] }
        let candidate = Candidate(
            host: address.host, port: UInt16(truncatingIfNeeded: address.port), transport: .udp, preference: 65_535, foundation: "1")
        lines += ["a=candidate:\(candidate.text)", "a=end-of-candidates"]
        return lines.map { $0 + "\r\n" }.joined()
    }
}

/// What a server says of itself: as much as it takes to come to it. Read loosely, since servers other than ours write it as well.
struct RemoteEnd: Sendable, Hashable {
    let ufrag: String
    let password: String
    let fingerprint: CertificateFingerprint
    let address: SocketAddress
    /// Of the first section.
    let mid: String
    let payloadType: UInt8

    /// - Throws: `RoomLoadFault` where something of that is not there.
    init(_ text: String) throws {
        // By bytes: CRLF is one Character.
        let lines = text.utf8.split { $0 == 0x0a || $0 == 0x0d }.map { String(decoding: $0, as: UTF8.self) }
        func values(_ name: String) -> [String] {
            lines.filter { $0.hasPrefix("a=\(name):") }.map { String($0.dropFirst(name.utf8.count + 3)) }
        }
        let candidate = values("candidate").compactMap { Candidate($0) }.first { $0.component == 1 && $0.transport == .udp }
        guard let ufrag = values("ice-ufrag").first, let password = values("ice-pwd").first,
            let fingerprint = values("fingerprint").compactMap({ CertificateFingerprint($0) }).first, let candidate,
            let address = SocketAddress(candidate.address, port: Int(candidate.port))
        else { throw RoomLoadFault(description: "a description without what is needed: \(text)") }
        self.ufrag = ufrag
        self.password = password
        self.fingerprint = fingerprint
        self.address = address
        mid = values("mid").first ?? "0"
        let formats = lines.first { $0.hasPrefix("m=video ") }?.split(separator: " ").dropFirst(3)
        payloadType = formats?.first.flatMap { UInt8($0) } ?? RoomLoadPlan.payloadType
    }
}
