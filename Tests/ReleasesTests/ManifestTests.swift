import Crypto
import Testing

@testable import Releases

@Suite("A release's manifest") struct ManifestTests {
    @Test("signed by another program with RFC 8032's keys is read, and written again byte for byte")
    func vector() throws {
        let document = try Signed.text(Signed.release)
        #expect(document.bytes == Array(Signed.release.utf8))
        let manifest = try ReleaseManifest(bytes: document.text)
        #expect(manifest.bytes == document.text)
        #expect(manifest.version == ReleaseVersion(1, 4, 0) && manifest.minimum == ReleaseVersion(1, 2, 0) && manifest.sequence == 17)
        #expect(manifest.channel == .stable && manifest.released == 1_795_392_000 && manifest.expires == 1_803_168_000)
        #expect(manifest.migrations == [23] && manifest.notes == ["Links come back sooner."])
        #expect(manifest.breaking == ["Room tokens of 1.3 are no longer taken."])
        #expect(manifest.files.map(\.path) == ["share/README.md", "strata-agent"])
        #expect(manifest.files.map(\.isExecutable) == [false, true])
        #expect(manifest.files.last?.digest == SHA256.hash("hello"))
        #expect(try SignedText(manifest.bytes, by: [Signed.key(Signed.daily)]) == document)
    }

    @Test("holds its files in one order, however they were given")
    func order() throws {
        let files = [
            try Signed.file("b"), try Signed.file("a", product: .server), try Signed.file("a/b"), try Signed.file("z", machine: "amd64"),
        ]
        let manifest = try Signed.manifest(files: files)
        #expect(manifest.files.map(\.path) == ["z", "a/b", "b", "a"])
        #expect(try ReleaseManifest(bytes: manifest.bytes) == manifest)
        let machine = try #require(MachineClass("arm64"))
        #expect(manifest.files(of: .agent, for: machine).map(\.path) == ["a/b", "b"])
    }

    /// The good text with one part replaced.
    private func changed(_ old: String, _ new: String) throws -> [UInt8] {
        let text = String(decoding: try Signed.text(Signed.release).text, as: UTF8.self)
        try #require(text.contains(old))
        return Array(text.replacing(old, with: new).utf8)
    }

    @Test(
        "in any other form is refused",
        arguments: [
            ("strata release 1\n", "strata release 2\n"), ("version 1.4.0", "version  1.4.0"), ("version 1.4.0", "version 01.4.0"),
            ("version 1.4.0", "version 1.4.0+build"), ("version 1.4.0", "Version 1.4.0"), ("sequence 17", "sequence 017"),
            ("sequence 17", "sequence +17"), ("sequence 17", "sequence 0"), ("sequence 17", "sequence 9007199254740992"),
            ("sequence 17", "sequence -1"), ("sequence 17\n", ""), ("sequence 17\n", "sequence 17\nsequence 17\n"),
            ("sequence 17\n", "sequence 17\r\n"), ("channel stable", "channel nightly"), ("version 1.4.0", "version 1.4.0-rc.1"),
            ("expires 1803168000", "expires 1795392000"), ("expires 1803168000", "expires 99999999999999999999"),
            ("minimum 1.2.0", "minimum 1.4.1"), ("migration 23", "migration 23\nmigration 23"), ("migration 23", "migration 0"),
            ("migration 23", "migration 24\nmigration 23"), ("note Links", "note \u{202E}Links"), ("note Links", "note \u{1B}[2JLinks"),
            ("note Links come back sooner.", "note "), ("note Links", "hint Links"), ("arm64 x 5", "arm64 y 5"),
            ("arm64 x 5", "arm64 x 05"), ("arm64 x 5", "arm64 x 1073741825"), ("arm64 x 5", "ARM64 x 5"), ("agent arm64 x", "boot arm64 x"),
            ("2cf24dba", "2CF24DBA"), ("2cf24dba", "2cf24d"), (" strata-agent\n", " strata-agent"),
            (" strata-agent\n", " strata-agent\n\n"),
            (" strata-agent\n", " share\n"), (" strata-agent\n", " share/README.md\n"), (" strata-agent\n", " aaa\n"),
        ])
    func hostile(_ old: String, _ new: String) throws {
        let bytes = try changed(old, new)
        #expect(throws: ReleaseFault.self) { try ReleaseManifest(bytes: bytes) }
    }

    @Test("cut off or changed anywhere is refused, or is another one that is written as it was read")
    func damaged() throws {
        let good = try Signed.text(Signed.release).text
        for end in 0..<good.count {
            // One line of a file less is another manifest, which nobody has signed.
            let manifest = try? ReleaseManifest(bytes: Array(good[..<end]))
            #expect(manifest == nil || manifest?.bytes == Array(good[..<end]))
            #expect(manifest == nil || manifest?.files.count == 1)
        }
        for index in good.indices {
            var bytes = good
            bytes[index] ^= 0x81
            #expect(throws: ReleaseFault.self) { try ReleaseManifest(bytes: bytes) }
            bytes[index] = good[index] ^ 1
            if let manifest = try? ReleaseManifest(bytes: bytes) { #expect(manifest.bytes == bytes) }
        }
    }

    @Test(
        "has no file that leaves its slot, hides there, or is a folder too",
        arguments: [
            "", "/", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".release", "a/.b", "a b", "a\u{0}b", "a\\b", "ä", "a/b/c/d/e/f/g/h/i",
        ])
    func paths(_ path: String) throws {
        #expect(!ReleaseFile.isPath(path))
        let machine = try #require(MachineClass("arm64"))
        let digest = [UInt8](repeating: 0, count: 32)
        #expect(ReleaseFile(product: .agent, machine: machine, isExecutable: false, size: 0, digest: digest, path: path) == nil)
    }

    @Test("of one product may name what another product or machine names too")
    func apart() throws {
        _ = try Signed.manifest(files: [
            try Signed.file("a"), try Signed.file("a/b", product: .server), try Signed.file("a/b", machine: "amd64"),
        ])
        #expect(throws: ReleaseFault.self) { try Signed.manifest(files: [try Signed.file("a"), try Signed.file("a/b")]) }
        #expect(throws: ReleaseFault.self) { try Signed.manifest(files: [try Signed.file("a"), try Signed.file("a", digest: 8)]) }
    }

    @Test("is bounded in lines, texts and files")
    func bounds() throws {
        #expect(throws: ReleaseFault.self) { try Signed.manifest(files: []) }
        let files = try (0...512).map { try Signed.file("f\($0)") }
        #expect(throws: ReleaseFault.self) { try Signed.manifest(files: files) }
        let most = try Signed.manifest(files: Array(files.dropLast()), migrations: Array(1...64))
        #expect(try ReleaseManifest(bytes: most.bytes) == most && most.bytes.count < ReleaseManifest.byteLimit)
        #expect(throws: ReleaseFault.self) { try Signed.manifest(migrations: Array(1...65)) }
        #expect(throws: ReleaseFault.self) { try Signed.manifest(notes: [String(repeating: "a", count: 501)]) }
        #expect(throws: ReleaseFault.malformed(line: 0, "262145 bytes; at most 262144 are read")) {
            try ReleaseManifest(bytes: [UInt8](repeating: 0x0A, count: ReleaseManifest.byteLimit + 1))
        }
    }
}

@Suite("A version") struct VersionTests {
    @Test("is ordered as section 11 of Semantic Versioning orders it")
    func order() throws {
        let texts = [
            "0.0.0", "0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0", "1.0.1-0", "1.0.1-Z", "1.0.1-a", "1.0.1", "1.1.0", "1.10.0", "2.0.0", "999999999.0.0",
        ]
        let versions = try texts.map(Signed.version)
        #expect(versions.map(\.description) == texts)
        for (index, version) in versions.enumerated() {
            #expect(versions.map { $0 < version } == versions.indices.map { $0 < index })
        }
    }

    @Test(
        "in another form is none",
        arguments: [
            "", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.03", "1.2.-3", "+1.2.3", " 1.2.3", "1.2.3 ", "1.2.3-", "1.2.3-a..b", "1.2.3-01",
            "1.2.3-ä",
            "1.2.3+b", "1.2.3-a+b", "1.2.x", "1000000000.0.0", "1.2.3-\(String(repeating: "a", count: 64))", "1.2.3\n",
        ])
    func none(_ text: String) { #expect(ReleaseVersion(text) == nil) }
}
