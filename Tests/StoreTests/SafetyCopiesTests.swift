import Crypto
import Foundation
@testable import Store
import Testing

@Suite struct SafetyCopiesTests {
    private func open(_ path: String) async throws -> ControlStore {
        try await ControlStore.open(.file(path), keyring: Keyring(), platformVersion: "1.0-test")
    }

    private func jobs(_ path: String) async throws -> [String] {
        let store = try await open(path)
        let kinds = try await store.jobs.claim(holder: "a", for: .seconds(1), limit: 10).map(\.kind).sorted()
        try await store.close()
        return kinds
    }

    @Test("a restore that was cut off between a database and its log leaves the log to the database that it was written for")
    func cutBetween() async throws {
        let folder = try Folder()
        let (path, files) = (folder.path + "/strata.db", FileManager.default)
        let first = try await open(path)
        _ = try await first.jobs.add("before")
        try await first.close()
        let (copies, copy) = (SafetyCopies(of: path), "strata.db.before-update.1800000000000")
        try await copies.make(copy)
        // Control was killed: what it has stored since is in the log alone. The power goes when the database is put aside, and its log not.
        let later = try await open(path)
        _ = try await later.jobs.add("after")
        let aside = "strata.db.before-restore.1800000000001"
        try files.copyItem(atPath: path, toPath: "\(folder.path)/\(aside)")
        try files.copyItem(atPath: path + "-wal", toPath: folder.path + "/log")
        try await later.close()
        for end in ["", "-wal", "-shm"] where files.fileExists(atPath: path + end) { try files.removeItem(atPath: path + end) }
        try files.moveItem(atPath: folder.path + "/log", toPath: path + "-wal")
        #expect(try await copies.restore(copy, at: .now) == aside)
        #expect(try await jobs(path) == ["before"])
        #expect(try await jobs("\(folder.path)/\(aside)") == ["after", "before"])
    }
}
