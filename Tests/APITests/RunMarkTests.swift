import Foundation
import Testing

@testable import API

@Suite("The mark of a run")
struct RunMarkTests {
    @Test("tells the next run of one that did not come to its end, and of no other")
    func begun() throws {
        let path = NSTemporaryDirectory() + "strata-mark-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let mark = RunMark(try StateFolder(path))
        #expect(try mark.begin(version: "1") == nil)
        #expect(try mark.begin(version: "2")?.hasPrefix("version 1 since 20") == true)
        #expect(try mark.begin(version: "3")?.hasPrefix("version 2 since 20") == true)
        mark.end()
        #expect(try mark.begin(version: "4") == nil)
    }
}
