import Crypto
import Foundation
import Testing

@Suite struct KeyringTests {
    private let place = SealedPlace(organization: "A", column: "destinations.secret", row: "1")

    @Test("a secret opens at its place and at no other")
    func binding() throws {
        let ring = Keyring()
        let sealed = try ring.seal(Array("live_key".utf8), for: place)
        #expect(try ring.open(sealed, for: place) == Array("live_key".utf8))
        for other in [
            SealedPlace(organization: "B", column: "destinations.secret", row: "1"),
            SealedPlace(organization: "A", column: "broadcasts.key", row: "1"),
            SealedPlace(organization: "A", column: "destinations.secret", row: "2"),
            SealedPlace(organization: "Adestinations.secret", column: "", row: "1"),
        ] {
            #expect(throws: CryptoError.notAuthentic) { try ring.open(sealed, for: other) }
        }
    }

    @Test("the same secret never seals to the same bytes")
    func freshness() throws {
        let ring = Keyring()
        #expect(try ring.seal([1], for: place) != ring.seal([1], for: place))
    }

    @Test("after a rotation old blobs open, new ones carry the new key, and retired keys open nothing")
    func rotation() throws {
        var ring = Keyring()
        let old = try ring.seal([1], for: place)
        ring.rotate()
        let new = try ring.seal([2], for: place)
        #expect(try Keyring.keyID(of: old) == 1)
        #expect(try Keyring.keyID(of: new) == 2)
        #expect(try ring.open(old, for: place) == [1])
        ring = try Keyring(text: ring.text)
        #expect(try ring.open(old, for: place) == [1])
        ring.retireOldKeys()
        #expect(throws: CryptoError.unknownKey(1)) { try ring.open(old, for: place) }
        #expect(try ring.open(new, for: place) == [2])
    }

    @Test("a blob whose key id was changed does not open")
    func keyIDIsAuthenticated() throws {
        var ring = try Keyring(text: "1 \(String(repeating: "ab", count: 32))\n2 \(String(repeating: "ab", count: 32))\n")
        var sealed = try ring.seal([1], for: place)
        sealed[4] = 1
        #expect(throws: CryptoError.notAuthentic) { try ring.open(sealed, for: place) }
        ring.retireOldKeys()
    }

    @Test(
        "a key file that is not a key file is refused",
        arguments: [
            "", "# only a comment\n", "1 abcd\n", "x \(String(repeating: "ab", count: 32))\n", "0 \(String(repeating: "ab", count: 32))\n",
        ])
    func malformed(text: String) {
        #expect(throws: CryptoError.self) { try Keyring(text: text) }
    }

    @Test("the key file is made once, with mode 0600, and read again")
    func file() throws {
        let folder = try Folder()
        let path = folder.path + "/master.key"
        let first = try KeyFile.keyring(at: path)
        let mode = try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
        #expect(mode == 0o600)
        let sealed = try first.seal([7], for: place)
        #expect(try KeyFile.keyring(at: path).open(sealed, for: place) == [7])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["master.key"])
    }

    @Test("a key file that others may read, or that is a link, is refused")
    func permissions() throws {
        let folder = try Folder()
        let path = folder.path + "/master.key"
        _ = try KeyFile.keyring(at: path)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: path)
        #expect(throws: CryptoError.self) { try KeyFile.keyring(at: folder.path + "/link") }
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: CryptoError.self) { try KeyFile.keyring(at: path) }
    }

    @Test("a pipe in a key file's place is refused at once, and not waited for")
    func pipe() throws {
        let path = try Folder().path + "-pipe"
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        #expect(throws: CryptoError.file(path: path, reason: "it is no regular file")) { try KeyFile.read(path) }
        #expect(throws: CryptoError.self) { try KeyFile.keyring(at: path) }
        #expect(try KeyFile.read(path + ".missing") == nil)
    }

    @Test("a key ring prints no key")
    func silence() {
        let ring = Keyring()
        let digits = ring.text.split(separator: "\n").last?.split(separator: " ").last.map(String.init) ?? ""
        var dumped = ""
        dump(ring, to: &dumped)
        #expect(digits.count == 64 && !"\(ring) \(String(reflecting: ring)) \(dumped)".contains(digits))
    }
}

/// A folder of its own that goes with its owner.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/strata-\(Hex.encode(randomBytes(8)))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
