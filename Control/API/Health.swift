import Fleet
import Glibc
import Posix
package import Store
import Wire

/// Whether the parts that control needs answer, each with its latency (DIA-09).
package struct Health: Sendable {
    private let store: ControlStore
    private let stateFolder: String
    let certificates: CertificateWatch
    private let startedAt = Instant.now

    package init(store: ControlStore, stateFolder: String, certificates: CertificateWatch) {
        self.store = store
        self.stateFolder = stateFolder
        self.certificates = certificates
    }

    var uptimeSeconds: Int { Int((Instant.now - startedAt).seconds) }

    struct Diagnosis: Codable, Sendable {
        var status: Status
        var probes: [Probe]
    }

    struct Probe: Codable, Sendable {
        var name: String
        var status: Status
        var latencyMs: Double
        var detail: String?
    }

    enum Status: String, Codable, Sendable { case healthy, degraded, unhealthy }

    /// Slower than this is degraded.
    static let slow = Duration.seconds(2)
    /// Less free space than this is degraded.
    static let freeBytes = 1 << 30

    /// Asks all at once.
    func diagnose(_ fleet: Roster) async -> Diagnosis {
        async let database = probe("database") {
            try await store.probe()
            return nil
        }
        async let disk = probe("disk") { try freeSpace() }
        async let pool = probe("pool") { await fleet.counts.hosts == 0 ? "no pool host is connected" : nil }
        async let certificate = probe("certificate") { try await certificates.complaint() }
        let probes = await [database, disk, pool, certificate]
        let worst: Status =
            probes.contains { $0.status == .unhealthy } ? .unhealthy : probes.contains { $0.status == .degraded } ? .degraded : .healthy
        return Diagnosis(status: worst, probes: probes)
    }

    /// - Parameter body: what is amiss, nil where all is well; throws where it fails.
    private func probe(_ name: String, _ body: @Sendable () async throws -> String?) async -> Probe {
        let start = Instant.now
        do {
            let complaint = try await body()
            let latency = Instant.now - start
            return Probe(
                name: name, status: complaint != nil || latency > Self.slow ? .degraded : .healthy, latencyMs: latency.seconds * 1000,
                detail: complaint)
        } catch {
            return Probe(name: name, status: .unhealthy, latencyMs: (Instant.now - start).seconds * 1000, detail: "\(error)".bounded())
        }
    }

    private func freeSpace() throws -> String? {
        var info = statvfs()
        guard statvfs(stateFolder, &info) == 0 else { throw SystemError("statvfs", on: stateFolder) }
        let free = Int(info.f_bavail) * Int(info.f_frsize)
        return free < Self.freeBytes ? "\(free >> 20) MiB are free" : nil
    }
}
