import Crypto
import Testing

@Suite struct AESGCMTests {
    /// Source: the GCM specification (McGrew, Viega), appendix B, test cases 13, 14 and 16.
    private static let key16 = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
    private static let plaintext16 =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    private static let sealed16 =
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        + "76fc6ece0f4e1768cddf8853bb2d551b"

    @Test("AES-256-GCM gives what the GCM specification's test cases give")
    func knownAnswers() throws {
        let zeros = [UInt8](repeating: 0, count: 32)
        let nonce = [UInt8](repeating: 0, count: 12)
        #expect(Hex.encode(try AESGCM.seal([], key: zeros, nonce: nonce)) == "530f8afbc74536b9a963b4f1c4cb738b")
        #expect(
            Hex.encode(try AESGCM.seal([UInt8](repeating: 0, count: 16), key: zeros, nonce: nonce))
                == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
        let sealed = try AESGCM.seal(
            try #require(Hex.decode(Self.plaintext16)), key: try #require(Hex.decode(Self.key16)),
            nonce: try #require(Hex.decode("cafebabefacedbaddecaf888")),
            additionalData: try #require(Hex.decode("feedfacedeadbeeffeedfacedeadbeefabaddad2")))
        #expect(Hex.encode(sealed) == Self.sealed16)
    }

    @Test("what was sealed opens; with any one bit changed it does not")
    func bitFlips() throws {
        let key = randomBytes(32)
        let nonce = randomBytes(12)
        let data = randomBytes(3)
        let plaintext = randomBytes(20)
        let sealed = try AESGCM.seal(plaintext, key: key, nonce: nonce, additionalData: data)
        #expect(try AESGCM.open(sealed, key: key, nonce: nonce, additionalData: data) == plaintext)
        for bit in 0..<sealed.count * 8 {
            var changed = sealed
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: CryptoError.notAuthentic) { try AESGCM.open(changed, key: key, nonce: nonce, additionalData: data) }
        }
        #expect(throws: CryptoError.notAuthentic) { try AESGCM.open(sealed, key: key, nonce: nonce) }
        #expect(throws: CryptoError.notAuthentic) { try AESGCM.open(sealed, key: randomBytes(32), nonce: nonce, additionalData: data) }
        #expect(throws: CryptoError.notAuthentic) { try AESGCM.open(sealed, key: key, nonce: randomBytes(12), additionalData: data) }
    }

    @Test("keys and nonces of another length and a text shorter than a tag are refused")
    func lengths() {
        #expect(throws: CryptoError.self) { try AESGCM.seal([1], key: randomBytes(16), nonce: randomBytes(12)) }
        #expect(throws: CryptoError.self) { try AESGCM.seal([1], key: randomBytes(32), nonce: randomBytes(16)) }
        #expect(throws: CryptoError.self) { try AESGCM.open(randomBytes(15), key: randomBytes(32), nonce: randomBytes(12)) }
    }
}
