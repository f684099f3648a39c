import Crypto
import Foundation
import Posix
import Releases
import Testing

@testable import Commands

@Suite("Releases at the shell")
struct ReleaseCommandTests {
    /// A folder with a root key, a release key and the list `keys.1`, and the files of a release below `files`.
    private struct Desk {
        let folder: String
        private(set) var root = ""
        private(set) var daily = ""

        init() async throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("strata-release-\(UUID().uuidString)").path
            for part in ["files/agent/arm64/share", "files/server/amd64"] {
                try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
            }
            try put("files/agent/arm64/strata-agent", "hello", mode: 0o755)
            try put("files/agent/arm64/share/README.md", "readme")
            try put("files/server/amd64/strata-control", "", mode: 0o755)
            root = try await key("root.key")
            daily = try await key("daily.key")
            _ = try await run(
                "rotate", "--root", root, "--release", "\(daily)=2030-01-01", "--signer", "\(folder)/root.key", "--output",
                "\(folder)/keys.1")
        }

        func put(_ name: String, _ text: String, mode: Int = 0o644) throws {
            try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(folder)/\(name)")
        }

        func key(_ name: String) async throws -> String {
            let answer = try await run("key", "--output", "\(folder)/\(name)")
            return try #require(answer["key"] as? String)
        }

        func make(_ changes: [String: String] = [:]) async throws -> [String: Any] {
            var options = [
                "from": "\(folder)/files", "version": "1.4.0", "sequence": "17", "channel": "stable", "minimum": "1.2.0",
                "expires": "2029-12-31", "signer": "\(folder)/daily.key", "keys": "\(folder)/keys.1", "output": "\(folder)/a.release",
            ]
            options.merge(changes) { $1 }
            return try await run(["make"] + options.flatMap { ["--\($0.key)", $0.value] })
        }

        @discardableResult
        func run(_ words: String...) async throws -> [String: Any] { try await run(words) }

        private func run(_ words: [String]) async throws -> [String: Any] {
            let lines = Guarded<[String]>([])
            let console = Console { line in lines.withLock { $0.append(line) } }
            try await console.run(["release"] + words, environment: ["HOME": folder])
            let answer = lines.withLock { $0.joined(separator: "\n") }
            return try #require(try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any])
        }

        /// What is said where a command fails.
        func refusal(_ words: String...) async -> String {
            do {
                let answer = try await run(words)
                return "it went well: \(answer)"
            } catch {
                return "\(error)"
            }
        }

        func refusalOfMake(_ changes: [String: String]) async -> String {
            do {
                let answer = try await make(changes)
                return "it went well: \(answer)"
            } catch {
                return "\(error)"
            }
        }

        func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(name)") }

        func end() { try? FileManager.default.removeItem(atPath: folder) }
    }

    @Test("a release is made, verified against the list of keys, and says what it is; the key is for its owner alone")
    func whole() async throws {
        let desk = try await Desk()
        defer { desk.end() }
        try desk.put("notes", "Links come back sooner.\n\nMore.\n")
        let made = try await desk.make(["migration": "23", "breaking": "No tokens of 1.3.", "notes": "\(desk.folder)/notes"])
        let verified = try await desk.run(
            "verify", "--file", "\(desk.folder)/a.release", "--keys", "\(desk.folder)/keys.1", "--from", "\(desk.folder)/files")
        #expect(try written(made) == written(verified))
        #expect(made["version"] as? String == "1.4.0" && made["notes"] as? [String] == ["Links come back sooner.", "More."])
        #expect(made["expiresAt"] as? String == "2029-12-31T00:00:00.000Z" && made["signer"] as? String == desk.daily)
        let text = try String(contentsOfFile: "\(desk.folder)/a.release", encoding: .utf8)
        #expect(text.contains("\nfile agent arm64 - 6 \(Hex.encode(SHA256.hash("readme"))) share/README.md\n"))
        #expect(text.contains("\nfile agent arm64 x 5 \(Hex.encode(SHA256.hash("hello"))) strata-agent\n"))
        #expect(text.hasSuffix("\nfile server amd64 x 0 \(Hex.encode(SHA256.hash(""))) strata-control\n"))
        let mode = try FileManager.default.attributesOfItem(atPath: "\(desk.folder)/daily.key")[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    /// An answer, written again in one way.
    private func written(_ answer: [String: Any]) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: answer, options: [.sortedKeys]), as: UTF8.self)
    }

    @Test("a key is not written over, and one that others may read signs nothing")
    func keys() async throws {
        let desk = try await Desk()
        defer { desk.end() }
        let before = try String(contentsOfFile: "\(desk.folder)/root.key", encoding: .utf8)
        #expect(await desk.refusal("key", "--output", "\(desk.folder)/root.key").contains("is there already"))
        #expect(try String(contentsOfFile: "\(desk.folder)/root.key", encoding: .utf8) == before)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: "\(desk.folder)/daily.key")
        #expect(await desk.refusalOfMake([:]).contains("only its owner may read a secret"))
        #expect(!desk.has("a.release"))
    }

    @Test("the next list replaces keys; what the old one does not vouch for is not written")
    func rotation() async throws {
        let desk = try await Desk()
        defer { desk.end() }
        let folder = desk.folder
        let next = try await desk.key("next.key")
        let root = try await desk.key("next-root.key")
        let list = [
            "rotate", "--from", "\(folder)/keys.1", "--root", root, "--release", "\(next)=2031-01-01", "--output", "\(folder)/keys.2",
        ]
        for signers in [["root"], ["next-root"], ["daily", "next-root"]] {
            let words = list + signers.flatMap { ["--signer", "\(folder)/\($0).key"] }
            let said = await refusal(desk, words)
            #expect(said.hasPrefix("no list was written: no signature of a key that is trusted for this. Name"), "\(signers): \(said)")
        }
        #expect(!desk.has("keys.2"))
        let answer = try await desk.run(
            "rotate", "--from", "\(folder)/keys.1", "--root", root, "--release", "\(next)=2031-01-01", "--signer", "\(folder)/root.key",
            "--signer", "\(folder)/next-root.key", "--output", "\(folder)/keys.2")
        #expect(answer["number"] as? Int == 2 && answer["roots"] as? [String] == [root])
        #expect(await desk.refusalOfMake(["signer": "\(folder)/next.key"]).contains("no signature of a key that is trusted"))
        _ = try await desk.run(
            "make", "--from", "\(folder)/files", "--version", "1.5.0", "--sequence", "18", "--channel", "beta", "--minimum", "1.4.0",
            "--expires", "2029-12-31", "--signer", "\(folder)/next.key", "--keys", "\(folder)/keys.1", "--keys", "\(folder)/keys.2",
            "--output",
            "\(folder)/b.release")
        #expect(desk.has("b.release"))
    }

    private func refusal(_ desk: Desk, _ words: [String]) async -> String {
        do {
            let console = Console { _ in }
            try await console.run(["release"] + words, environment: ["HOME": desk.folder])
            return "it went well"
        } catch {
            return "\(error)"
        }
    }

    @Test(
        "what no machine would take is not written",
        arguments: [
            ("version", "1.4"), ("version", "1.4.0-rc.1"), ("sequence", "0"), ("channel", "nightly"), ("minimum", "1.5.0"),
            ("expires", "2020-01-01"),
            ("expires", "2029-02-30"), ("expires", "tomorrow"), ("migration", "none"), ("breaking", "two\nlines"),
        ])
    func refused(_ option: String, _ value: String) async throws {
        let desk = try await Desk()
        defer { desk.end() }
        #expect(await !desk.refusalOfMake([option: value]).hasPrefix("it went well"))
        #expect(!desk.has("a.release"))
    }

    @Test("a link, a hidden file and a folder of nobody are named, and nothing is written")
    func folders() async throws {
        let desk = try await Desk()
        defer { desk.end() }
        let odd = "\(desk.folder)/files/agent/arm64/odd"
        try FileManager.default.createSymbolicLink(atPath: odd, withDestinationPath: "strata-agent")
        #expect(await desk.refusalOfMake([:]) == "\(odd) is neither a regular file nor a folder: a release has no other")
        try FileManager.default.removeItem(atPath: odd)
        try desk.put("files/agent/arm64/.hidden", "")
        #expect(await desk.refusalOfMake([:]).contains("a release has no such name"))
        try FileManager.default.removeItem(atPath: "\(desk.folder)/files/agent/arm64/.hidden")
        try FileManager.default.createDirectory(atPath: "\(desk.folder)/files/boot", withIntermediateDirectories: true)
        #expect(await desk.refusalOfMake([:]).contains("a folder is named agent, updater, server"))
        #expect(!desk.has("a.release"))
    }

    @Test("a release is published under the digests of its files, once and again; one whose files have changed is not")
    func publish() async throws {
        let desk = try await Desk()
        defer { desk.end() }
        let (folder, target) = (desk.folder, desk.folder + "/state/releases")
        _ = try await desk.make()
        let words = [
            "publish", "--file", "\(folder)/a.release", "--keys", "\(folder)/keys.1", "--from", "\(folder)/files", "--directory", target,
        ]
        for _ in 0..<2 {
            let said = await refusal(desk, words)
            #expect(said == "it went well")
        }
        let names = ["hello", "readme", ""].map { Hex.encode(SHA256.hash($0)) } + ["keys.1", "1.4.0.release", "stable.release"]
        #expect(try FileManager.default.contentsOfDirectory(atPath: target).sorted() == names.sorted())
        #expect(try String(contentsOfFile: "\(target)/\(names[0])", encoding: .utf8) == "hello")
        for (name, source) in [("keys.1", "keys.1"), ("1.4.0.release", "a.release")] {
            let (there, ours) = (
                FileManager.default.contents(atPath: "\(target)/\(name)"), FileManager.default.contents(atPath: "\(folder)/\(source)")
            )
            #expect(there != nil && there == ours)
        }
        // What a disk has damaged, length and all the same, is put right by publishing once more.
        try "hellO".write(toFile: "\(target)/\(names[0])", atomically: false, encoding: .utf8)
        let said = await refusal(desk, words)
        #expect(said == "it went well")
        #expect(try String(contentsOfFile: "\(target)/\(names[0])", encoding: .utf8) == "hello")
        try desk.put("files/agent/arm64/strata-agent", "hullo", mode: 0o755)
        #expect(await refusal(desk, words).contains("is not as it was signed"))
    }

    @Test("a changed file, a changed text and another's list are found")
    func verify() async throws {
        let desk = try await Desk()
        defer { desk.end() }
        let folder = desk.folder
        _ = try await desk.make()
        try desk.put("files/agent/arm64/share/README.md", "readmf")
        #expect(
            await desk.refusal("verify", "--file", "\(folder)/a.release", "--keys", "\(folder)/keys.1", "--from", "\(folder)/files")
                == "\(folder)/files: 'share/README.md' of agent for arm64 is not as it was signed")
        let text = try String(contentsOfFile: "\(folder)/a.release", encoding: .utf8)
        try desk.put("b.release", text.replacingOccurrences(of: "version 1.4.0", with: "version 1.4.1"))
        #expect(
            await desk.refusal("verify", "--file", "\(folder)/b.release", "--keys", "\(folder)/keys.1").contains("no signature of a key"))
        #expect(await desk.refusal("verify", "--file", "\(folder)/keys.1", "--keys", "\(folder)/keys.1").contains("no signature of a key"))
        #expect(
            await desk.refusal("verify", "--file", "\(folder)/a.release", "--keys", "\(folder)/a.release").contains("a.release: line 1:"))
    }
}
