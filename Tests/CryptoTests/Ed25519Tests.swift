import Crypto
import Testing

@Suite struct Ed25519Tests {
    @Test("keys and signatures are those of RFC 8032, section 7.1, tests 1 and 3")
    func knownAnswers() throws {
        let first = try Ed25519PrivateKey(
            seed: try #require(Hex.decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")))
        #expect(Hex.encode(first.publicKey) == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        #expect(
            Hex.encode(try first.sign([]))
                == "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        )
        let third = try Ed25519PrivateKey(
            seed: try #require(Hex.decode("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")))
        #expect(
            Hex.encode(try third.sign([0xaf, 0x82]))
                == "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        )
    }

    @Test("a signature holds for its message and key, and for nothing else")
    func verification() throws {
        let key = try Ed25519PrivateKey.generate()
        let signature = try key.sign([1, 2, 3])
        #expect(Ed25519.verify(signature, of: [1, 2, 3], publicKey: key.publicKey))
        #expect(!Ed25519.verify(signature, of: [1, 2], publicKey: key.publicKey))
        #expect(!Ed25519.verify(signature, of: [1, 2, 3], publicKey: try Ed25519PrivateKey.generate().publicKey))
        var changed = signature
        changed[40] ^= 1
        #expect(!Ed25519.verify(changed, of: [1, 2, 3], publicKey: key.publicKey))
        #expect(!Ed25519.verify(Array(signature.dropLast()), of: [1, 2, 3], publicKey: key.publicKey))
        #expect(!Ed25519.verify(signature, of: [1, 2, 3], publicKey: []))
        #expect(!Ed25519.verify([UInt8](repeating: 0, count: 64), of: [], publicKey: [UInt8](repeating: 0, count: 32)))
    }

    @Test("a point for which anybody can sign, and a coordinate that is not canonical, are nobody's public key")
    func smallOrder() throws {
        let ends = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        let zeros = String(repeating: "0", count: 60)
        for text in [
            "00\(zeros)00", "01\(zeros)00", "00\(zeros)80", "01\(zeros)80", "ecff\(ends)7f", "edff\(ends)7f", "eeff\(ends)ff",
            "ffff\(ends)ff",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        ] {
            let key = try #require(Hex.decode(text))
            #expect(key.count == 32 && !Ed25519.isPublicKey(key), "\(text)")
            // R is the identity and s is 0: good for the identity as a key, over whatever text.
            let forged = [1] + [UInt8](repeating: 0, count: 63)
            #expect(!Ed25519.verify(forged, of: [1, 2, 3], publicKey: key), "\(text)")
        }
        #expect(!Ed25519.isPublicKey([1, 2, 3]))
        for _ in 0..<20 { #expect(Ed25519.isPublicKey(try Ed25519PrivateKey.generate().publicKey)) }
    }

    @Test("a key prints neither its seed nor anything of it")
    func silence() throws {
        let key = try Ed25519PrivateKey.generate()
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] {
            #expect(!text.contains(Hex.encode(Array(key.seed.prefix(4)))))
            #expect(!text.contains("seed"))
        }
    }
}
