import Testing

@testable import API

/// What the parts of the server say of themselves.
@Suite("The server's health")
struct HealthTests {
    private struct Broken: Error, CustomStringConvertible { let description = "broken" }

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
