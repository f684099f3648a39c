import Foundation
import Logging
import Posix
import Testing

@testable import Usage

@Suite struct UsageFileTests {
    @Test("the book is there again, readable by its owner alone; a broken one is said, kept and counted anew")
    func file() throws {
        let folder = NSTemporaryDirectory() + "strata-usage-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let lines = Guarded<[String]>([])
        let log = Log("usage", threshold: .info) { line in lines.withLock { $0.append(line) } }
        let book = UsageBook(nil, boot: UsageFile.boot, at: .now)
        #expect(UsageFile.boot.count == 36)

        let file = try UsageFile(stateFolder: folder, log: log)
        #expect(file.read() == nil)
        file.write(book.all)
        file.close(book.all)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["usage.json"])
        #expect(try FileManager.default.attributesOfItem(atPath: "\(folder)/usage.json")[.posixPermissions] as? Int == 0o600)
        let next = try UsageFile(stateFolder: folder, log: log)
        #expect(next.read() == book.all && lines.withLock { $0.isEmpty })

        try Data("{".utf8).write(to: URL(fileURLWithPath: "\(folder)/usage.json"))
        #expect(next.read() == nil && lines.withLock { $0.count == 1 })
        #expect(try String(contentsOfFile: "\(folder)/usage.json.unreadable", encoding: .utf8) == "{", "kept for a person")
        try FileManager.default.removeItem(atPath: folder)
        next.write(book.all)
        next.close(book.all)
        #expect(lines.withLock { $0.count == 2 }, "said once")
    }
}
