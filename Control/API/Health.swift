import Blobs
import Fleet
import Glibc
package import Mail
import Posix
package import Store
import Wire

/// Whether the parts that control needs answer, each with its latency (DIA-09).
package struct Health: Sendable {
    private let store: ControlStore
    private let stateFolder: String
    let certificates: CertificateWatch
    /// nil where no mail is sent.
    private let postman: Postman?
    private let startedAt = Instant.now
    /// What the mail server said last: it is not asked for each page that somebody looks at.
    private let mail = Guarded<Probe?>(nil)

    package init(store: ControlStore, stateFolder: String, certificates: CertificateWatch, postman: Postman?) {
        self.store = store
        self.stateFolder = stateFolder
        self.certificates = certificates
        self.postman = postman
    }

    var uptimeSeconds: Int { Int((Instant.now - startedAt).seconds) }

    struct Diagnosis: Codable, Sendable {
        var status: Status
        var probes: [Probe]

        /// The worst of them.
        init(_ probes: [Probe]) {
            self.probes = probes
            status = [Status.unhealthy, .degraded].first { worst in probes.contains { $0.status == worst } } ?? .healthy
        }
    }

    struct Probe: Codable, Sendable {
        var name: String
        var status: Status
        var latencyMs: Double
        var detail: String?
    }

    enum Status: String, Codable, Sendable, CaseIterable { case healthy, degraded, unhealthy }

    /// Slower than this is degraded.
    static let slow = Duration.seconds(2)
    /// What has not answered by then does not.
    static let patience = Duration.seconds(10)

    /// Asks all at once; the mail server, which is another's, only where somebody or the timetable wants it asked: else it is as it was then.
    func diagnose(_ fleet: Roster, isThorough: Bool) async -> Diagnosis {
        async let database = Self.probe("database") {
            try await store.probe()
            return nil
        }
        async let disk = Self.probe("disk") { try freeSpace() }
        async let pool = Self.probe("pool") { await fleet.counts.hosts == 0 ? "no pool host is connected" : nil }
        async let certificate = Self.probe("certificate") { try await certificates.complaint() }
        async let mail = mailProbe(isThorough: isThorough)
        return Diagnosis(await [database, disk, pool, certificate] + [mail].compactMap { $0 })
    }

    private func mailProbe(isThorough: Bool) async -> Probe? {
        guard isThorough else { return mail.withLock { $0 } }
        return await askMailServer()
    }

    /// Greets it and signs in. Whatever it says is for the operator's log: who reads this may be a tenant.
    private func askMailServer() async -> Probe? {
        guard let postman else { return nil }
        var probe = await Self.probe("mail") {
            try await postman.greet()
            return nil
        }
        if probe.status == .unhealthy { probe.detail = "the mail server does not take us: mails wait" }
        mail.withLock { $0 = probe }
        return probe
    }

    /// - Parameter body: what is amiss, nil where all is well; throws where it fails. It may go on beyond its time: nobody waits for it.
    static func probe(
        _ name: String, within limit: Duration = patience, _ body: @escaping @Sendable () async throws -> String?
    ) async -> Probe {
        let start = Instant.now
        return await withCheckedContinuation { continuation in
            let waiting = Guarded<CheckedContinuation<Probe, Never>?>(continuation)
            @Sendable func settle(_ status: Status, _ detail: String?) {
                let probe = Probe(name: name, status: status, latencyMs: (Instant.now - start).seconds * 1000, detail: detail)
                let asker = waiting.withLock { waiting -> CheckedContinuation<Probe, Never>? in
                    defer { waiting = nil }
                    return waiting
                }
                asker?.resume(returning: probe)
            }
            let alarm = Task {
                // try?: one that was cancelled has nothing left to say.
                guard (try? await Task.sleep(for: limit)) != nil else { return }
                settle(.unhealthy, "no answer within \(Int(limit.seconds)) s")
            }
            Task {
                do {
                    let complaint = try await body()
                    settle(complaint != nil || Instant.now - start > slow ? .degraded : .healthy, complaint)
                } catch {
                    settle(.unhealthy, "\(error)".bounded())
                }
                alarm.cancel()
            }
        }
    }

    private func freeSpace() throws -> String? {
        var info = statvfs()
        guard statvfs(stateFolder, &info) == 0 else { throw SystemError("statvfs", on: stateFolder) }
        // What happens to a disk that has failed.
        guard info.f_flag & UInt(ST_RDONLY) == 0 else { throw ReadOnly(path: stateFolder) }
        return Self.complaint(of: try DiskSpace(of: stateFolder))
    }

    /// - Returns: nil where there is room.
    static func complaint(of space: DiskSpace) -> String? {
        guard space.isLow else { return nil }
        let share = "\(space.free >> 20) MiB are free on the server's disk, \(space.total > 0 ? space.free * 100 / space.total : 0) %"
        return space.isAmple ? share : "\(share): no file is taken, what is left is the database's"
    }

    private struct ReadOnly: Error, CustomStringConvertible {
        let path: String
        var description: String { "\(path) can only be read" }
    }
}
