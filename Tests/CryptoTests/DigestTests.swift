import Crypto
import Testing

@Suite struct DigestTests {
    @Test("SHA-256 gives the digests of FIPS 180-4's examples")
    func sha256() {
        #expect(Hex.encode(SHA256.hash("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Hex.encode(SHA256.hash([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test("HMAC-SHA-256 gives the codes of RFC 4231, cases 1, 2 and 6")
    func hmac() {
        #expect(
            Hex.encode(HMAC256.authenticate(Array("Hi There".utf8), key: [UInt8](repeating: 0x0b, count: 20)))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        #expect(
            Hex.encode(HMAC256.authenticate(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            Hex.encode(
                HMAC256.authenticate(
                    Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8), key: [UInt8](repeating: 0xaa, count: 131)))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test("an HMAC with an empty key and message is defined")
    func emptyHMAC() {
        #expect(
            Hex.encode(HMAC256.authenticate([], key: [])) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test("HKDF gives the keys of RFC 5869, appendix A.1 and A.3")
    func hkdf() throws {
        let secret = [UInt8](repeating: 0x0b, count: 22)
        let salt = try #require(Hex.decode("000102030405060708090a0b0c"))
        let info = try #require(Hex.decode("f0f1f2f3f4f5f6f7f8f9"))
        #expect(
            Hex.encode(HKDF256.derive(secret: secret, salt: salt, info: info, count: 42))
                == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
        #expect(
            Hex.encode(HKDF256.derive(secret: secret, info: [UInt8](), count: 42))
                == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
    }

    @Test("byte strings of different lengths or one different bit are not equal")
    func equality() {
        #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
        #expect(constantTimeEqual([], []))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2, 2]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2]))
    }

    @Test("random bytes come in the number asked for", arguments: [0, 1, 7, 8, 9, 32, 1000])
    func random(count: Int) {
        let bytes = randomBytes(count)
        #expect(bytes.count == count)
        #expect(count < 8 || bytes != randomBytes(count))
    }
}

@Suite struct TextEncodingTests {
    @Test("base64url follows the vectors of RFC 4648, section 10, without padding")
    func vectors() {
        let vectors = [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
        ]
        for (plain, encoded) in vectors {
            #expect(Base64URL.encode(Array(plain.utf8)) == encoded)
            #expect(Base64URL.decode(encoded) == Array(plain.utf8))
        }
        #expect(Base64URL.encode([0xfb, 0xff, 0xfe]) == "-__-")
    }

    @Test("what was encoded decodes to the same bytes, of every length")
    func roundTrip() {
        for count in 0..<70 {
            let bytes = randomBytes(count)
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
            #expect(Hex.decode(Hex.encode(bytes)) == bytes)
        }
    }

    @Test(
        "a text that is not the canonical form of base64url is refused", arguments: ["A", "Zg==", "Zh", "Z+9v", "Zm9v\n", "Zm9vY", "Zm 9"])
    func refused(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test("hexadecimal of odd length or with other characters is refused", arguments: ["a", "0g", "0x00", " 00"])
    func refusedHex(text: String) {
        #expect(Hex.decode(text) == nil)
    }
}
