import Crypto
import Foundation
import Testing

@testable import TLS

/// Against the `openssl` program, over real datagrams.
@Suite(.serialized) struct DTLSInteropTests {
    static let both = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"

    @Test(
        "a client of openssl's connects to us, with the profile that both have",
        arguments: [(both, SRTPProfile.gcm), ("SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", .gcm), ("SRTP_AES128_CM_SHA1_80", .counter)])
    func client(profiles: String, profile: SRTPProfile) throws {
        let peer = try OpenSSLPeer.client(["-use_srtp", profiles, "-keymatexportlen", "\(profile.exportedBytes)"])
        let session = try DTLSSession(DTLSContext(at: today), .server, peer: [peer.fingerprint])
        try talk(peer, session, profile)
        // Q at the beginning of a line ends a client, with close_notify.
        try peer.say("Q\n")
        try peer.run(session) { peer.events.count == 3 }
        #expect(peer.events.last == .closed)
    }

    @Test("we connect to a server of openssl's, with the profile that both have", arguments: SRTPProfile.allCases)
    func server(profile: SRTPProfile) throws {
        let name = profile == .gcm ? Self.both : "SRTP_AES128_CM_SHA1_80"
        let peer = try OpenSSLPeer.server(["-use_srtp", name, "-keymatexportlen", "\(profile.exportedBytes)"])
        let session = try DTLSSession(DTLSContext(at: today), .client, peer: [peer.fingerprint])
        try talk(peer, session, profile)
        // A server closes its socket before it could say so: here it is we who end the session.
        peer.handle(session.close())
        // What it prints of a close_notify; it says no more before its own end.
        try peer.waitUntil("the server knows of the end") { peer.said.contains("DONE\n") }
    }

    private func talk(_ peer: OpenSSLPeer, _ session: DTLSSession, _ profile: SRTPProfile) throws {
        peer.handle(session.start(at: OpenSSLPeer.now))
        try peer.run(session) { !peer.events.isEmpty && peer.keyingMaterial != nil }
        guard case .connected(let connection)? = peer.events.first else {
            Issue.record("\(peer.events)")
            return
        }
        #expect(connection.profile == profile)
        #expect(Hex.encode(connection.keyingMaterial).uppercased() == peer.keyingMaterial)
        peer.handle(session.send(Array("from us to them\n".utf8)))
        try peer.run(session) { peer.said.contains("from us to them") }
        try peer.say("from them to us\n")
        try peer.run(session) { peer.events.count == 2 }
        #expect(peer.events.last == .received(Array("from them to us\n".utf8)))
    }

    @Test("a ClientHello of several datagrams is answered", arguments: [400, 1200])
    func largeHello(mtu: Int) throws {
        // Names of protocols that nobody speaks: 3,000 bytes.
        let names = (0..<60).map { "\($0)-" + String(repeating: "x", count: 46) }.joined(separator: ",")
        let peer = try OpenSSLPeer.client(["-use_srtp", Self.both, "-keymatexportlen", "56", "-mtu", "\(mtu)", "-alpn", names])
        let session = try DTLSSession(DTLSContext(at: today), .server, peer: [peer.fingerprint])
        peer.handle(session.start(at: OpenSSLPeer.now))
        try peer.run(session) { !peer.events.isEmpty && peer.keyingMaterial != nil }
        guard case .connected(let connection)? = peer.events.first else {
            Issue.record("\(peer.events)")
            return
        }
        #expect(Hex.encode(connection.keyingMaterial).uppercased() == peer.keyingMaterial)
    }

    @Test("a peer that cannot protect media is refused, and nothing is exported")
    func withoutProfile() throws {
        let peer = try OpenSSLPeer.client([])
        let session = try DTLSSession(DTLSContext(at: today), .server, peer: [peer.fingerprint])
        peer.handle(session.start(at: OpenSSLPeer.now))
        try peer.run(session) { !peer.events.isEmpty }
        #expect(peer.events == [.failed(.withoutProfile)])
    }

    @Test("a peer with weaker ciphers alone is refused", arguments: ["ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-GCM-SHA256"])
    func weak(cipher: String) throws {
        let peer = try OpenSSLPeer.client(["-use_srtp", Self.both, "-cipher", cipher])
        let session = try DTLSSession(DTLSContext(at: today), .server, peer: [peer.fingerprint])
        peer.handle(session.start(at: OpenSSLPeer.now))
        try peer.run(session) { !peer.events.isEmpty }
        guard case .failed(.refused(let reason))? = peer.events.first else {
            Issue.record("\(peer.events)")
            return
        }
        #expect(reason.contains("no shared cipher"))
    }

    @Test("a client without a certificate is refused")
    func anonymous() throws {
        let peer = try OpenSSLPeer.client(["-use_srtp", Self.both], .anonymous)
        let session = try DTLSSession(DTLSContext(at: today), .server, peer: [peer.fingerprint])
        peer.handle(session.start(at: OpenSSLPeer.now))
        try peer.run(session) { !peer.events.isEmpty }
        guard case .failed(.refused(let reason))? = peer.events.first else {
            Issue.record("\(peer.events)")
            return
        }
        #expect(reason.contains("peer did not return a certificate"))
    }
}
