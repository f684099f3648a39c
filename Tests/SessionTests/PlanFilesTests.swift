import Foundation
import Testing
import Units
import Wire

@testable import Session

@Suite struct PlanFilesTests {
    private func folders() throws -> (runtime: String, state: String) {
        let root = NSTemporaryDirectory() + "strata-session-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        return (root + "/run", root + "/state")
    }

    @Test("a plan survives the loss of the runtime folder and is gone from both after its removal")
    func powerCut() throws {
        let (runtime, state) = try folders()
        defer { try? FileManager.default.removeItem(atPath: (runtime as NSString).deletingLastPathComponent) }
        let files = PlanFiles(runtime: runtime, state: state)
        try files.prepare()
        #expect(files.plan { _, _ in Issue.record("nothing is there") } == nil)
        let kept = try plan(revision: 3)
        try files.save(kept)
        for path in [runtime + "/plan.json", state + "/broadcast.json"] {
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
        try FileManager.default.removeItem(atPath: runtime)
        try files.prepare()
        let found = files.plan { _, reason in Issue.record("\(reason)") }
        #expect(found == kept)
        #expect(found?.transport.streamKey.secret.revealed == "0123456789abcdef")
        try files.save(kept)
        try files.removePlan()
        try files.removePlan()
        #expect(files.plan { _, _ in } == nil)
    }

    @Test("a damaged plan is reported and passed over, and the other copy is used")
    func damaged() throws {
        let (runtime, state) = try folders()
        defer { try? FileManager.default.removeItem(atPath: (runtime as NSString).deletingLastPathComponent) }
        let files = PlanFiles(runtime: runtime, state: state)
        try files.prepare()
        try files.save(try plan())
        let handle = try #require(FileHandle(forWritingAtPath: runtime + "/plan.json"))
        try handle.truncate(atOffset: 20)
        var reported = 0
        #expect(files.plan { _, _ in reported += 1 } == (try plan()))
        #expect(reported == 1)
    }
}
