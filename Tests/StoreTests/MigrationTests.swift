import Crypto
import Foundation
import SQLite
@testable import Store
import Testing
import Units

@Suite struct MigrationTests {
    private let clock = TestClock()

    private func open(_ path: String, _ steps: [Migration], version: String = "1.0") async throws -> ControlStore {
        let clock = clock
        return try await ControlStore.open(
            .file(path), keyring: Keyring(), platformVersion: version, clock: { clock.now }, migrations: steps)
    }

    private static let latest = Schema.migrations.count
    private static let next = Migration(version: latest + 1, name: "notes", script: "CREATE TABLE notes (id INTEGER PRIMARY KEY) STRICT")

    @Test("each step stands in the tracking table with its time and the platform's version")
    func tracking() async throws {
        let folder = try Folder()
        let first = try await open(folder.path + "/a.db", Schema.migrations, version: "1.0")
        try await first.close()
        clock.advance(.seconds(60))
        let second = try await open(folder.path + "/a.db", Schema.migrations + [Self.next], version: "1.1")
        let lines = try await second.read { transaction in
            try transaction.shared.all("SELECT * FROM migrations ORDER BY version") { row -> String in
                let version: Int = try row["version"]
                let name: String = try row["name"]
                let at: String = try row["applied_at"]
                let platform: String = try row["platform_version"]
                return "\(version) \(name) \(at) \(platform)"
            }
        }
        #expect(lines.first == "1 accounts 2027-01-15T08:00:00.000Z 1.0")
        #expect(lines.last == "\(Self.latest + 1) notes 2027-01-15T08:01:00.000Z 1.1")
    }

    @Test("before a batch the database is copied; a copy opens with the program before, and goes after 30 days")
    func copies() async throws {
        let folder = try Folder()
        let path = folder.path + "/a.db"
        func copies() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains(".before-") }
        }
        let first = try await open(path, Schema.migrations)
        _ = try await first.jobs.add("kept")
        try await first.close()
        #expect(try copies().isEmpty)
        try await open(path, Schema.migrations + [Self.next]).close()
        let copy = try #require(try copies().first)
        #expect(copy == "a.db.before-\(Self.latest).\(clock.now.unixMs)")
        #expect(try FileManager.default.attributesOfItem(atPath: folder.path + "/" + copy)[.posixPermissions] as? Int == 0o600)
        try FileManager.default.copyItem(atPath: folder.path + "/" + copy, toPath: folder.path + "/restored.db")
        let restored = try await open(folder.path + "/restored.db", Schema.migrations)
        #expect(try await restored.jobs.claim(holder: "a", for: .seconds(1), limit: 1).map(\.kind) == ["kept"])
        clock.advance(.seconds(30 * 86_400 + 1))
        let later = Migration(version: Self.latest + 2, name: "more", script: "CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT")
        try await open(path, Schema.migrations + [Self.next, later]).close()
        #expect(try copies() == ["a.db.before-\(Self.latest + 1).\(clock.now.unixMs)"])
    }

    /// One that does not only add.
    private static let breaking = Migration(
        version: latest + 2, name: "breaking", script: "CREATE TABLE other (id INTEGER PRIMARY KEY) STRICT; PRAGMA user_version = 1000000")

    @Test("a program runs on the schema of the one after it, which only adds, and keeps what that wrote")
    func goneBack() async throws {
        let folder = try Folder()
        let path = folder.path + "/a.db"
        let newer = try await open(path, Schema.migrations + [Self.next])
        _ = try await newer.jobs.add("kept")
        try await newer.close()
        let older = try await open(path, Schema.migrations)
        #expect(older.opening.upgradedFrom == nil)
        #expect(try await older.jobs.claim(holder: "a", for: .seconds(1), limit: 1).map(\.kind) == ["kept"])
        try await older.close()
        let again = try await open(path, Schema.migrations + [Self.next])
        #expect(again.opening.upgradedFrom == nil && again.opening.copy == nil)
        try await again.close()
    }

    @Test("a database that a newer program has broken with, or with another history, is refused and left alone")
    func refusals() async throws {
        let folder = try Folder()
        let path = folder.path + "/a.db"
        try await open(path, Schema.migrations + [Self.next]).close()
        let broken = folder.path + "/b.db"
        try await open(broken, Schema.migrations + [Self.next, Self.breaking]).close()
        await #expect(throws: StoreError.newerDatabase(version: Self.latest + 2, known: Self.latest)) {
            try await open(broken, Schema.migrations)
        }
        let other = Migration(version: Self.latest + 1, name: "other", script: "")
        await #expect(throws: StoreError.foreignHistory(version: Self.latest + 1, found: "notes")) {
            try await open(path, Schema.migrations + [other])
        }
    }

    @Test("a step that fails leaves the schema of the step before, and runs the next time")
    func failingStep() async throws {
        let folder = try Folder()
        let path = folder.path + "/a.db"
        try await open(path, Schema.migrations).close()
        let broken = Migration(
            version: Self.latest + 1, name: "notes", script: "CREATE TABLE notes (id INTEGER PRIMARY KEY) STRICT; CREATE TABEL x (y)")
        await #expect(throws: SQLiteError.self) { try await open(path, Schema.migrations + [broken]) }
        try await open(path, Schema.migrations + [Self.next]).close()
    }

    @Test("a database is joined beside whoever has it, as it is; one that is missing or older is left alone")
    func joined() async throws {
        let folder = try Folder()
        let path = folder.path + "/a.db"
        func join() async throws -> ControlStore { try await ControlStore.join(path, keyring: Keyring(), platformVersion: "1.1") }
        await #expect(throws: ControlStore.Unjoinable.missing(path)) { try await join() }
        #expect(!FileManager.default.fileExists(atPath: path))
        try await open(path, Array(Schema.migrations.dropLast())).close()
        await #expect(throws: ControlStore.Unjoinable.older(version: Self.latest - 1, known: Self.latest)) { try await join() }
        try await open(path, Array(Schema.migrations.dropLast())).close()
        let running = try await open(path, Schema.migrations)
        let beside = try await join()
        _ = try await beside.jobs.add("from beside")
        try await beside.close()
        _ = try await running.jobs.add("from within")
        let jobs = try await running.jobs.claim(holder: "a", for: .seconds(1), limit: 9)
        #expect(jobs.map(\.kind).sorted() == ["from beside", "from within"])
        try await running.close()
        try await open(path, Schema.migrations + [Self.next]).close()
        try await join().close()
        try await open(path, Schema.migrations + [Self.next, Self.breaking]).close()
        await #expect(throws: StoreError.newerDatabase(version: Self.latest + 2, known: Self.latest)) { try await join() }
    }

    @Test("steps are numbered without gaps and only add")
    func additive() {
        #expect(Schema.migrations.map(\.version) == Array(1...Schema.migrations.count))
        for step in Schema.migrations {
            let words = "\(step.script)".uppercased()
            #expect(!words.contains("PRAGMA"), "\(step.name)")
            for word in ["DROP ", "RENAME ", "DELETE FROM", "UPDATE "] where !(word == "UPDATE " && words.contains("BEFORE UPDATE ON")) {
                #expect(!words.contains(word), "\(step.name)")
            }
        }
    }
}
