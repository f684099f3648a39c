import Foundation
import SQLite
import Support
import Testing

@Suite struct DatabaseTests {
    private static let schema: StaticString = """
        CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents (id), size INTEGER CHECK (size > 0)) STRICT;
        """

    private func database(_ location: Location = .memory) async throws -> Database {
        let database = try await Database.open(location)
        try await database.write { try $0.run(script: Self.schema) }
        return database
    }

    @Test("values come back as they were stored")
    func values() async throws {
        let database = try await Database.open(.memory)
        let text = "it's \u{0} \"ünïcode\" \r\n 🎥"
        let blob = [UInt8](0...255)
        try await database.write { connection in
            try connection.run("CREATE TABLE things (i INTEGER, r REAL, t TEXT, b BLOB, n INTEGER, e BLOB, yes INTEGER) STRICT")
            try connection.run(
                "INSERT INTO things VALUES (\(Int64.min), \(0.5), \(text), \(blob), \(Int?.none), \([UInt8]()), \(true))")
        }
        try await database.read { connection in
            let found: Void? = try connection.first("SELECT * FROM things") { row in
                let i: Int64 = try row["i"]
                let r: Double = try row["r"]
                let t: String = try row["t"]
                let b: [UInt8] = try row["b"]
                let n: Int? = try row["n"]
                let e: [UInt8]? = try row["e"]
                let yes: Bool = try row["yes"]
                #expect(i == .min && r == 0.5 && t == text && b == blob && n == nil && e == [] && yes)
            }
            #expect(found != nil)
        }
    }

    @Test("an interpolated value is bound, whatever it says")
    func injection() async throws {
        let database = try await database()
        let hostile = "'); DROP TABLE children; --"
        try await database.write { try $0.run("INSERT INTO parents (name) VALUES (\(hostile))") }
        let names: [String] = try await database.read { try $0.all("SELECT name FROM parents") { try $0["name"] } }
        #expect(names == [hostile])
        #expect(("SELECT \(hostile) FROM \(name: "parents")" as SQL).text == "SELECT ? FROM parents")
    }

    @Test("a broken constraint is told by its kind")
    func kinds() async throws {
        let database = try await database()
        try await database.write { try $0.run("INSERT INTO parents VALUES (1, 'a')") }
        func kind(_ sql: SQL) async -> SQLiteError.Kind? {
            do {
                try await database.write { try $0.run(sql) }
                return nil
            } catch { return (error as? SQLiteError)?.kind }
        }
        #expect(await kind("INSERT INTO parents VALUES (1, 'b')") == .duplicate)
        #expect(await kind("INSERT INTO parents VALUES (2, 'a')") == .duplicate)
        #expect(await kind("INSERT INTO children VALUES (1, 9, 1)") == .reference)
        #expect(await kind("INSERT INTO children VALUES (1, 1, 0)") == .rule)
        #expect(await kind("INSERT INTO parents (name) VALUES (NULL)") == .rule)
        #expect(await kind("SELECT 1; SELECT 2") == .other)
        #expect(await kind("SELECT nothing FROM parents") == .other)
        #expect(await kind("SELECT \"name\", \"no such column\" FROM parents") == .other)
    }

    @Test("a column that is missing or of another type is a mismatch, not a default")
    func mismatch() async throws {
        let database = try await database()
        try await database.write { try $0.run("INSERT INTO parents VALUES (1, 'a')") }
        await #expect(throws: SQLiteError.self) {
            let _: [Int] = try await database.read { try $0.all("SELECT name FROM parents") { try $0["name"] } }
        }
        await #expect(throws: SQLiteError.self) {
            let _: [String] = try await database.read { try $0.all("SELECT name FROM parents") { try $0["nome"] } }
        }
    }

    @Test("a transaction that throws leaves nothing, and the next one works")
    func rollback() async throws {
        struct Stop: Error {}
        let database = try await database()
        await #expect(throws: Stop.self) {
            try await database.write { connection in
                try connection.run("INSERT INTO parents VALUES (1, 'a')")
                throw Stop()
            }
        }
        try await database.write { try $0.run("INSERT INTO parents VALUES (1, 'b')") }
        let names: [String] = try await database.read { try $0.all("SELECT name FROM parents") { try $0["name"] } }
        #expect(names == ["b"])
    }

    @Test("the same statement can run within itself")
    func nesting() async throws {
        let database = try await database()
        let pairs = try await database.write { connection in
            for name in ["a", "b"] { try connection.run("INSERT INTO parents (name) VALUES (\(name))") }
            return try connection.all("SELECT name FROM parents") { outer in
                try connection.all("SELECT name FROM parents") { inner in
                    let first: String = try outer["name"]
                    let second: String = try inner["name"]
                    return first + second
                }
            }
        }
        #expect(pairs == [["aa", "ab"], ["ba", "bb"]])
    }

    @Test("many tasks at once are served one after the other")
    func concurrency() async throws {
        let database = try await database()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<100 {
                group.addTask { try await database.write { try $0.run("INSERT INTO parents (name) VALUES (\("n\(index)"))") } }
            }
            try await group.waitForAll()
        }
        let count: Int? = try await database.read { try $0.first("SELECT count(*) AS n FROM parents") { try $0["n"] } }
        #expect(count == 100)
    }

    @Test("the file is its owner's alone, in write-ahead mode, and holds what was written")
    func file() async throws {
        let folder = try Folder()
        let path = folder.path + "/a.db"
        let first = try await database(.file(path))
        try await first.write(.durable) { try $0.run("INSERT INTO parents VALUES (1, 'a')") }
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            #expect(try FileManager.default.attributesOfItem(atPath: folder.path + "/" + name)[.posixPermissions] as? Int == 0o600)
        }
        try await first.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.db"])
        await #expect(throws: SQLiteError.self) { try await first.read { _ in } }
        let second = try await Database.open(.file(path))
        let names: [String] = try await second.read { try $0.all("SELECT name FROM parents") { try $0["name"] } }
        #expect(names == ["a"])
    }

    @Test("a second connection of this process that ends leaves the first its locks: another process does not take its log away")
    func locks() async throws {
        let folder = try Folder()
        let path = folder.path + "/a.db"
        let first = try await database(.file(path))
        #expect(try await Database.open(.file(path)).fault() == nil)
        let count = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM parents').fetchone()[0])"
        #expect(try await runTool("python3", ["-c", count, path]).text == "0\n")
        #expect(FileManager.default.fileExists(atPath: path + "-wal"))
        try await first.write(.durable) { try $0.run("INSERT INTO parents VALUES (1, 'a')") }
        #expect(try await runTool("python3", ["-c", count, path]).text == "1\n")
    }

    @Test("a backup is one whole file that opens by itself, while writing goes on")
    func backup() async throws {
        let folder = try Folder()
        let database = try await database(.file(folder.path + "/a.db"))
        try await database.write { connection in
            for index in 0..<20_000 { try connection.run("INSERT INTO parents (name) VALUES (\("a rather long name \(index)"))") }
        }
        async let writing: Void = database.write { try $0.run("INSERT INTO parents VALUES (1000000, 'meanwhile')") }
        try await database.backUp(to: folder.path + "/copy.db")
        try await writing
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(names.filter { $0.hasPrefix("copy") }) == ["copy.db"])
        let copy = try await Database.open(.file(folder.path + "/copy.db"))
        let count: Int? = try await copy.read { try $0.first("SELECT count(*) AS n FROM parents") { try $0["n"] } }
        #expect((count ?? 0) >= 20_000)
    }

    @Test("a file that is no database, or a folder that does not exist, is an error that says so")
    func unusable() async throws {
        let folder = try Folder()
        try String(repeating: "no database ", count: 100).write(toFile: folder.path + "/a.db", atomically: true, encoding: .utf8)
        await #expect { try await Database.open(.file(folder.path + "/a.db")) } throws: { ($0 as? SQLiteError)?.kind == .corrupt }
        await #expect(throws: SQLiteError.self) { try await Database.open(.file(folder.path + "/none/a.db")) }
    }
}

@Suite struct FailingDiskTests {
    @Test("whichever write or sync fails, a transaction is there whole or not at all", arguments: [1, 1_000_000])
    func everyCall(length: Int) async throws {
        let folder = try Folder()
        for position in 0..<1000 {
            let path = folder.path + "/\(position).db"
            let disk = FailingDisk()
            let database = try await Database.open(.file(path), on: disk.disk)
            try await database.write(.durable) { try $0.run("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB) STRICT") }
            disk.fail(position..<position + length)
            var passed = true
            do {
                try await database.write(.durable) { connection in
                    for id in 0..<8 { try connection.run("INSERT INTO t VALUES (\(id), \([UInt8](repeating: 1, count: 3000)))") }
                }
            } catch { passed = false }
            disk.fail(0..<0)
            let again = try await Database.open(.file(path))
            let count: Int? = try await again.read { try $0.first("SELECT count(*) AS n FROM t") { try $0["n"] } }
            #expect(passed ? count == 8 : count == 0, "after failing operation \(position)")
            // The connection itself is usable again once the disk is.
            try await database.write(.durable) { try $0.run("INSERT INTO t VALUES (100, x'00')") }
            if passed { return }
        }
        Issue.record("the run never passed")
    }
}

/// A folder of its own that goes with its owner.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/strata-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
