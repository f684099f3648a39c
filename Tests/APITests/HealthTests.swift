import Blobs
import Testing

@testable import API

/// What the parts of the server say of themselves.
@Suite("The server's health")
struct HealthTests {
    private struct Broken: Error, CustomStringConvertible { let description = "broken" }

    @Test("a disk of which less than a tenth is free is warned of, below a twentieth with what follows from it")
    func disk() {
        let gigabytes = { (free: Int, total: Int) in Health.complaint(of: DiskSpace(free: free << 30, total: total << 30)) }
        #expect(gigabytes(100, 1000) == nil && gigabytes(1, 10) == nil)
        #expect(gigabytes(99, 1000) == "101376 MiB are free on the server's disk, 9 %")
        #expect(gigabytes(50, 1000)?.hasSuffix("5 %") == true)
        #expect(gigabytes(49, 1000) == "50176 MiB are free on the server's disk, 4 %: no file is taken, what is left is the database's")
        #expect(gigabytes(0, 1) == "0 MiB are free on the server's disk, 0 %: no file is taken, what is left is the database's")
        #expect(Health.complaint(of: DiskSpace(free: 0, total: 0)) != nil, "a disk of no size")
        // Much of a small one is little.
        #expect(Health.complaint(of: DiskSpace(free: 900 << 20, total: 2 << 30)) == "900 MiB are free on the server's disk, 43 %")
    }

    @Test("is that of its worst part; one that does not answer in time is not waited for")
    func parts() async {
        let well = await Health.probe("a") { nil }
        let worse = await Health.probe("b") { "1 MiB is free" }
        let failed = await Health.probe("c") { throw Broken() }
        let silent = await Health.probe("d", within: .milliseconds(20)) {
            // try?: cancelled by nobody, and waited for by nobody.
            try? await Task.sleep(for: .seconds(3600))
            return nil
        }
        #expect([well, worse, failed, silent].map(\.status) == [.healthy, .degraded, .unhealthy, .unhealthy])
        #expect([well, worse, failed, silent].map(\.detail) == [nil, "1 MiB is free", "broken", "no answer within 0 s"])
        #expect(silent.latencyMs >= 20 && silent.latencyMs < 60_000)
        #expect(Health.Diagnosis([well, well]).status == .healthy && Health.Diagnosis([]).status == .healthy)
        #expect(Health.Diagnosis([well, worse]).status == .degraded && Health.Diagnosis([worse, failed, well]).status == .unhealthy)
    }
}
