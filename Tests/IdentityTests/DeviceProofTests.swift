import Crypto
import Testing
import Units
import Wire

@testable import Identity

@Suite("Device proof")
struct DeviceProofTests {
    private let identity: DeviceIdentity
    private let exporter = [UInt8](repeating: 5, count: 32)

    init() throws {
        identity = DeviceIdentity(
            key: try Ed25519PrivateKey(seed: [UInt8](0..<32)), device: DeviceID("01ARZ3NDEKTSV4RRFFQ69G5FAV")!,
            organization: OrganizationID("01ARZ3NDEKTSV4RRFFQ69G5FAW")!, name: "board", kind: .sender,
            server: try ServerOrigin("https://live.example.org"), authority: .system)
    }

    private func proof(_ challenge: Challenge, exporter: [UInt8]?) throws -> Proof {
        try Proof.answering(challenge, identity: identity, exporter: exporter)
    }

    @Test("the signed bytes are exactly these")
    func bytes() throws {
        let text = proofText(
            label: .connect, origin: identity.server, serverNonce: [UInt8](repeating: 0, count: 32),
            deviceNonce: [UInt8](repeating: 255, count: 32), exporter: nil)
        let expected = """
            strata device connect 1
            https://live.example.org
            AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
            __________________________________________8
            origin

            """
        #expect(String(decoding: text, as: UTF8.self) == expected)
    }

    @Test("a proof holds on its own connection", arguments: [ChannelBinding.exporter, .origin])
    func holds(binding: ChannelBinding) throws {
        let (challenge, nonce) = Challenge.make(origin: identity.server, binding: binding)
        let proof = try proof(challenge, exporter: exporter)
        #expect(
            proof.isValid(
                publicKey: identity.key.publicKey, origins: [identity.server], serverNonce: nonce,
                exporter: binding == .exporter ? exporter : nil))
    }

    @Test("a proof is worth nothing on another connection, server, challenge or key")
    func elsewhere() throws {
        let (challenge, nonce) = Challenge.make(origin: identity.server, binding: .exporter)
        let proof = try proof(challenge, exporter: exporter)
        let key = identity.key.publicKey
        let other = try ServerOrigin("https://evil.example.org")
        #expect(proof.isValid(publicKey: key, origins: [other, identity.server], serverNonce: nonce, exporter: exporter))
        #expect(!proof.isValid(publicKey: key, origins: [other], serverNonce: nonce, exporter: exporter))
        #expect(!proof.isValid(publicKey: key, origins: [identity.server], serverNonce: randomBytes(32), exporter: exporter))
        #expect(!proof.isValid(publicKey: key, origins: [identity.server], serverNonce: nonce, exporter: randomBytes(32)))
        #expect(!proof.isValid(publicKey: key, origins: [identity.server], serverNonce: nonce, exporter: nil))
        #expect(
            !proof.isValid(
                publicKey: try Ed25519PrivateKey.generate().publicKey, origins: [identity.server], serverNonce: nonce, exporter: exporter))
    }

    @Test("asking for less than the exporter gains nothing against a server that has one")
    func downgrade() throws {
        let (challenge, nonce) = Challenge.make(origin: identity.server, binding: .origin)
        let proof = try proof(challenge, exporter: exporter)
        #expect(
            !proof.isValid(publicKey: identity.key.publicKey, origins: [identity.server], serverNonce: nonce, exporter: exporter))
    }

    @Test("hostile nonces and signatures are refused", arguments: ["", "AA", "!", String(repeating: "A", count: 44), "a\nb"])
    func hostile(text: String) throws {
        let challenge = Challenge(version: 1, nonce: text, origin: "https://live.example.org")
        #expect(throws: CryptoError.self) { try self.proof(challenge, exporter: nil) }
        let (good, nonce) = Challenge.make(origin: identity.server, binding: .origin)
        var proof = try self.proof(good, exporter: nil)
        proof.signature = text
        #expect(!proof.isValid(publicKey: identity.key.publicKey, origins: [identity.server], serverNonce: nonce, exporter: nil))
        proof.nonce = text
        #expect(!proof.isValid(publicKey: identity.key.publicKey, origins: [identity.server], serverNonce: nonce, exporter: nil))
    }
}
