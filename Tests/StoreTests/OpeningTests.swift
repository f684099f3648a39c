import Crypto
import Foundation
import SQLite
@testable import Store
import Testing

/// What a start finds of its database.
@Suite struct OpeningTests {
    private func open(_ path: String, _ steps: [Migration] = Schema.migrations) async throws -> ControlStore {
        try await ControlStore.open(.file(path), keyring: Keyring(), platformVersion: "1.0-test", migrations: steps)
    }

    /// A database of some hundred pages, closed.
    private func filled(_ path: String) async throws {
        let store = try await open(path)
        try await store.write { transaction in
            for number in 0..<4000 {
                let subject = "\(number) " + String(repeating: "x", count: 200)
                try transaction.shared.run("INSERT INTO attempts (kind, subject, at) VALUES ('test', \(subject), \(transaction.now))")
            }
        }
        try await store.close()
    }

    private func damage(_ path: String, from offset: UInt64) throws -> Data {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        let end = try file.seekToEnd()
        try file.seek(toOffset: offset)
        try file.write(contentsOf: Data(repeating: 0xA5, count: Int(end - offset)))
        try file.close()
        return try Data(contentsOf: URL(fileURLWithPath: path))
    }

    @Test("one that was not closed has all that was committed, and a start is told; one that was closed says nothing")
    func left() async throws {
        let folder = try Folder()
        let path = folder.path + "/a.db"
        let first = try await open(path)
        #expect(first.opening.leftLogBytes == 0 && first.opening.upgradedFrom == 0 && first.opening.copy == nil)
        _ = try await first.jobs.add("kept")
        // As it lies there after a kill: beside one that still has it.
        let second = try await open(path)
        #expect(second.opening.leftLogBytes > 0 && second.opening.upgradedFrom == nil)
        #expect(try await second.jobs.claim(holder: "a", for: .seconds(1), limit: 9).map(\.kind) == ["kept"])
        #expect(try await second.inspect() == nil)
        try await second.close()
        try await first.close()
        let third = try await open(path)
        #expect(third.opening.leftLogBytes == 0)
        try await third.close()
    }

    @Test("an upgrade is told with the version from before and its copy")
    func upgraded() async throws {
        let folder = try Folder()
        let path = folder.path + "/a.db"
        try await open(path, Array(Schema.migrations.dropLast())).close()
        let store = try await open(path)
        #expect(store.opening.upgradedFrom == Schema.migrations.count - 1)
        let copy = try #require(store.opening.copy)
        #expect(FileManager.default.fileExists(atPath: copy))
        try await store.close()
    }

    @Test("a damaged one is refused with its name and its copies, and is left as it is", arguments: [0, 100] as [UInt64])
    func damaged(_ offset: UInt64) async throws {
        let folder = try Folder()
        let path = folder.path + "/a.db"
        try await filled(path)
        let copy = "a.db.before-3.1800000000000"
        #expect(FileManager.default.createFile(atPath: "\(folder.path)/\(copy)", contents: Data()))
        let bytes = try damage(path, from: offset)
        do {
            _ = try await open(path)
            Issue.record("it was opened")
        } catch let refusal as Unopenable {
            guard case .damaged(path, let reason, [copy]) = refusal else {
                Issue.record("\(refusal)")
                return
            }
            #expect(!reason.isEmpty && refusal.description.contains("restore"))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
    }

    @Test("damage that a start does not come upon is found by looking at all of it")
    func inspection() async throws {
        let folder = try Folder()
        let path = folder.path + "/a.db"
        try await filled(path)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path)).count
        // Tables and their first pages lie at the beginning.
        _ = try damage(path, from: UInt64(bytes / 2 / 4096 * 4096))
        let store = try await open(path)
        let fault = try await store.inspect()
        #expect(fault != nil && fault != "it cannot be checked")
    }
}
