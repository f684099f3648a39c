import Crypto
import Testing

@testable import Releases

@Suite("Whom a machine believes") struct TrustTests {
    private let root: Ed25519PrivateKey
    private let daily: Ed25519PrivateKey
    private let stranger: Ed25519PrivateKey
    private let trust: ReleaseTrust

    init() throws {
        root = try Signed.key(Signed.root)
        daily = try Signed.key(Signed.daily)
        stranger = try Ed25519PrivateKey(seed: [UInt8](repeating: 9, count: 32))
        trust = try ReleaseTrust(shipped: try Signed.text(Signed.keys))
    }

    private func list(
        _ number: Int, roots: [Ed25519PrivateKey], releases: [Ed25519PrivateKey], end: Int64 = 1_830_000_000,
        by signers: [Ed25519PrivateKey]
    ) throws -> SignedText {
        let keys = try KeyList(number: number, roots: roots.map(\.publicKey), releases: releases.map { .init(key: $0.publicKey, end: end) })
        return try SignedText(keys.bytes, by: signers)
    }

    @Test("a release that another program has signed with the release key is taken")
    func vector() throws {
        let release = try trust.release(in: try Signed.text(Signed.release), at: Signed.now)
        #expect(release.manifest.version == ReleaseVersion(1, 4, 0) && release.signer == daily.publicKey)
    }

    @Test("no bit of a signed text or of its signature can change")
    func everyBit() throws {
        let good = Array(Signed.release.utf8)
        for index in good.indices {
            for bit in 0..<8 {
                var bytes = good
                bytes[index] ^= 1 << UInt8(bit)
                #expect(throws: ReleaseFault.self) { try trust.release(in: try SignedText(bytes: bytes), at: Signed.now) }
            }
        }
    }

    @Test("a release of the root key, of a stranger or of nobody is not signed")
    func others() throws {
        let text = try Signed.manifest().bytes
        for signers in [[root], [stranger], [root, stranger]] {
            #expect(throws: ReleaseFault.notSigned) { try trust.release(in: try SignedText(text, by: signers), at: Signed.now) }
        }
        #expect(try trust.release(in: try SignedText(text, by: [stranger, daily]), at: Signed.now).signer == daily.publicKey)
        // Another's signature under the trusted key's name.
        var forged = try SignedText(text, by: [stranger]).bytes
        let (theirs, ours) = (Base64URL.encode(stranger.publicKey), Base64URL.encode(daily.publicKey))
        forged = Array(String(decoding: forged, as: UTF8.self).replacing(theirs, with: ours).utf8)
        #expect(throws: ReleaseFault.notSigned) { try trust.release(in: try SignedText(bytes: forged), at: Signed.now) }
    }

    @Test("what is signed and is no manifest is not read as one, a list of keys neither")
    func confused() throws {
        let text = try SignedText(Array("strata device connect 1\n".utf8), by: [daily])
        #expect(throws: ReleaseFault.self) { try trust.release(in: text, at: Signed.now) }
        let keys = try list(2, roots: [stranger], releases: [daily], by: [daily])
        #expect(throws: ReleaseFault.self) { try trust.release(in: keys, at: Signed.now) }
        var taking = trust
        let release = try SignedText(try Signed.manifest().bytes, by: [root])
        #expect(throws: ReleaseFault.self) { try taking.take(release) }
        #expect(taking == trust)
    }

    @Test(
        "a signed text in another form is refused",
        arguments: [
            ("strata signed 1", "strata signed 2"), ("signature ", "signatur "), ("\n\n", "\n"), ("\n\nstrata", "\n\n\nstrata"),
            ("signature ", "signature  "), ("strata signed 1\n", "strata signed 1\n\n"), ("SDA\n", "SDB\n"), ("SDA\n", "SDA=\n"),
            ("SDA\n", "SDA\r\n"),
        ])
    func frames(_ old: String, _ new: String) throws {
        let place = try #require(Signed.release.firstRange(of: old))
        let text = "\(Signed.release[..<place.lowerBound])\(new)\(Signed.release[place.upperBound...])"
        let bytes = Array(text.utf8)
        #expect(throws: ReleaseFault.self) { try trust.release(in: try SignedText(bytes: bytes), at: Signed.now) }
    }

    @Test("a key signs until its end and not from then on, by the clock or by the floor where the clock shows 1970")
    func ends() throws {
        let document = try SignedText(try Signed.manifest(expires: 1_900_000_000).bytes, by: [daily])
        let end: Int64 = 1_830_000_000
        _ = try trust.release(in: document, at: ReleaseTime(clock: end - 1, floor: 0))
        #expect(throws: ReleaseFault.keyEnded(at: end)) { try trust.release(in: document, at: ReleaseTime(clock: end, floor: 0)) }
        #expect(throws: ReleaseFault.keyEnded(at: end)) { try trust.release(in: document, at: ReleaseTime(clock: 100, floor: end)) }
        _ = try trust.release(in: document, at: ReleaseTime(clock: 100, floor: end - 1))
    }

    @Test("keys are replaced by a list that an old root and a new one have signed, number after number")
    func rotation() throws {
        var machine = trust
        let next = try list(2, roots: [stranger], releases: [daily], by: [root, stranger])
        let after = try list(3, roots: [stranger, root], releases: [daily], end: 1_900_000_000, by: [stranger])
        #expect(throws: ReleaseFault.notSigned) { try machine.take(after) }
        var taken: [Bool] = []
        for list in [next, next] { taken.append(try machine.take(list)) }
        #expect(machine.keys.roots == [stranger.publicKey])
        for list in [after, after] { taken.append(try machine.take(list)) }
        #expect(taken == [true, false, true, false])
        // A list of before, whose root is among ours still.
        let again = try machine.take(next)
        #expect(!again && machine.keys.number == 3)
        // What the old list said about the key's end no longer counts.
        let release = try SignedText(try Signed.manifest(expires: 2_000_000_000).bytes, by: [daily])
        _ = try machine.release(in: release, at: ReleaseTime(clock: 1_850_000_000, floor: 0))
    }

    @Test("a list is refused that the old root has not signed, nor its own, or that skips a number; nothing changes then")
    func badLists() throws {
        var machine = trust
        let cases: [(SignedText, ReleaseFault)] = [
            (try list(2, roots: [stranger], releases: [daily], by: [stranger]), .notSigned),
            (try list(2, roots: [stranger], releases: [daily], by: [daily, stranger]), .notSigned),
            (try list(2, roots: [stranger], releases: [daily], by: [root]), .notSigned),
            (try list(3, roots: [root], releases: [stranger], by: [root]), .wrongNumber(expected: 2, found: 3)),
        ]
        for (document, fault) in cases {
            #expect(throws: fault) { try machine.take(document) }
            #expect(machine == trust)
        }
        let older = try machine.take(try list(1, roots: [root], releases: [stranger], by: [root]))
        #expect(!older && machine == trust)
    }

    @Test("a list from the installation is signed by a root key of its own")
    func shipped() throws {
        #expect(throws: ReleaseFault.notSigned) { try ReleaseTrust(shipped: try list(1, roots: [root], releases: [daily], by: [daily])) }
    }

    @Test("no list has a key twice, one of small order, or none of a kind")
    func lists() throws {
        let (good, other) = (root.publicKey, daily.publicKey)
        let small = [1] + [UInt8](repeating: 0, count: 31)
        let bad: [([[UInt8]], [[UInt8]])] = [
            ([], [other]), ([good], []), ([good], [good]), ([good, good], [other]), ([small], [other]), ([good], [small]),
            ([[1, 2]], [other]),
        ]
        for (roots, releases) in bad {
            #expect(throws: ReleaseFault.self) {
                try KeyList(number: 1, roots: roots, releases: releases.map { .init(key: $0, end: 9) })
            }
        }
        #expect(throws: ReleaseFault.self) { try KeyList(number: 0, roots: [good], releases: [.init(key: other, end: 9)]) }
    }
}
