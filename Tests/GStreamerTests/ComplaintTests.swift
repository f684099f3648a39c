import CGStreamer
import GStreamer
import Testing

@Suite struct ComplaintTests {
    // In a process of its own: the cap is the whole process's, and other tests complain too.
    @Test("a process writes 20 of its libraries' complaints in a minute, and drops the rest")
    func cap() async throws {
        let process = try #require(
            await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
                try GStreamerRuntime.start()
                for _ in 0..<1000 { g_warn_message("strata", "a peer", 1, "that talks", "nonsense") }
            })
        let lines = String(decoding: process.standardErrorContent, as: UTF8.self).split(separator: "\n").filter { $0.contains("nonsense") }
        #expect(lines.count == 20, "\(lines.count) lines")
    }
}
