import Crypto
import Testing

@testable import SRTP

@Suite struct VectorTests {
    @Test("session keys are those of RFC 3711, appendix B.3")
    func derivation() {
        let master = MasterKey(
            key: hex(("master key", "E1F97A0D3E018BE0D64FA32C06DE4139")), salt: hex(("master salt", "0EC675AD498AFEEBB6960B3AABE6")))
        #expect(master.derive(.encryption, .media, count: 16) == hex(("cipher key", "C61E7A93744F39EE10734AFE3FF7A087")))
        #expect(master.derive(.salt, .media, count: 14) == hex(("cipher salt", "30CBBC08863D8C85D49DB34A9AE1")))
        #expect(
            master.derive(.authentication, .media, count: 94).prefix(32)
                == hex(("first two blocks", "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCE"))[...])
    }

    @Test("the key stream of the counter profile is that of RFC 3711, appendix B.2")
    func keyStream() {
        let mode = CounterMode(
            key: hex(("session key", "2B7E151628AED2A6ABF7158809CF4F3C")), salt: hex(("session salt", "F0F1F2F3F4F5F6F7F8F9FAFBFCFD")),
            authentication: [])
        var stream = [UInt8](repeating: 0, count: 48)
        stream.withUnsafeMutableBytes { mode.transform(UnsafeRawBufferPointer($0), to: $0.baseAddress!, 0, 0) }
        #expect(
            stream
                == hex(
                    ("block 0", "E03EAD0935C95E80E166B16DD92B4EB4"), ("block 1", "D23513162B02D0F72A43A2FE4A5F97AB"),
                    ("block 2", "41E95B3BB0A2E8DD477901E4FCA894C0")))
    }

    private let gcmKey = hex(("session key", "000102030405060708090a0b0c0d0e0f"))
    private let gcmSalt = hex(("session salt", "517569642070726f2071756f"))

    @Test("an RTP packet is protected as in RFC 7714, section 16.1, and comes back")
    func aeadMedia() {
        let plain = hex(
            ("header", "8040f17b 8041f8d3 5501a0b2"),
            ("payload", "47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573"))
        let protected = hex(
            ("header", "8040f17b 8041f8d3 5501a0b2"),
            ("ciphertext", "f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833"),
            ("tag", "899d7f27 beb16a91 52cf765e e4390cce"))
        var buffer = plain + [UInt8](repeating: 0, count: 16)
        buffer.withUnsafeMutableBytes { buffer in
            let text = UnsafeRawBufferPointer(buffer).part(12..<plain.count)
            let protection = Protection(gcm: gcmKey, salt: gcmSalt, .sealing)
            let count = protection.seal(buffer, clear: 12, text: text, source: 0x5501_a0b2, index: 0xf17b)
            #expect(count == protected.count)
        }
        #expect(buffer == protected)
        buffer.withUnsafeMutableBytes { buffer in
            let isAuthentic = Protection(gcm: gcmKey, salt: gcmSalt, .opening).open(buffer, clear: 12, source: 0x5501_a0b2, index: 0xf17b)
            #expect(isAuthentic)
        }
        #expect(Array(buffer.prefix(plain.count)) == plain)
    }

    @Test("an RTCP packet is protected as in RFC 7714, section 17.1, and comes back")
    func aeadControl() {
        let plain = hex(
            ("header", "81c8000d 4d617273"),
            ("rest", "4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef"))
        let protected = hex(
            ("header", "81c8000d 4d617273"),
            (
                "ciphertext",
                "63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b"
            ),
            ("tag", "c84aa458 96cf4d2f c5abf872 45d9eade"), ("encrypted, index", "800005d4"))
        var buffer = plain + [UInt8](repeating: 0, count: 20)
        buffer.withUnsafeMutableBytes { buffer in
            let text = UnsafeRawBufferPointer(buffer).part(8..<plain.count)
            _ = Protection(gcm: gcmKey, salt: gcmSalt, .sealing).seal(
                buffer, clear: 8, text: text, source: 0x4d61_7273, index: 0x5d4, word: 0x8000_05d4)
        }
        #expect(buffer == protected)
        buffer.withUnsafeMutableBytes { buffer in
            let protection = Protection(gcm: gcmKey, salt: gcmSalt, .opening)
            let word = protection.word(of: UnsafeRawBufferPointer(buffer))
            let isAuthentic = protection.open(buffer, clear: 8, source: 0x4d61_7273, index: 0x5d4, word: word)
            #expect(word == 0x8000_05d4)
            #expect(isAuthentic)
        }
        #expect(Array(buffer.prefix(plain.count)) == plain)
    }

    @Test("of what DTLS exports, each end takes its own key and salt to send with")
    func roles() throws {
        let exported = hex(
            ("client key", "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0"), ("server key", "50505050505050505050505050505050"),
            ("client salt", "c1c1c1c1c1c1c1c1c1c1c1c1"), ("server salt", "515151515151515151515151"))
        let client = try #require(SRTPKeys(.gcm, exported: exported, role: .client))
        let server = try #require(SRTPKeys(.gcm, exported: exported, role: .server))
        #expect(client.sending.key == [UInt8](repeating: 0xc0, count: 16) && client.sending.salt == [UInt8](repeating: 0xc1, count: 12))
        #expect(client.receiving.key == [UInt8](repeating: 0x50, count: 16) && client.receiving.salt == [UInt8](repeating: 0x51, count: 12))
        #expect(server.sending.key == client.receiving.key && server.receiving.salt == client.sending.salt)
        #expect(SRTPKeys(.counter, exported: exported, role: .client) == nil)
        #expect("\(client)" == "•••")
        #expect(!String(reflecting: client).contains("192"))
    }
}
