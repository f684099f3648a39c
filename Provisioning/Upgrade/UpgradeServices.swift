import Glibc
import Posix
import Site

/// The services of the server while it changes: noted before, started anew after, and asked whether they work.
struct UpgradeServices: Sendable {
    let machine: HostMachine
    /// Where control says whether it is well.
    let health: String
    let marks: UpgradeMarks
    let get: @Sendable (_ url: String) async throws -> Int
    let uptime: @Sendable () -> Instant
    let pause: @Sendable (Duration) async throws -> Void

    static let control = "strata-control.service"
    static let pool = "strata-pool.service"
    /// How long control has to answer: an upgrade of a large database comes before.
    static let proofLimit = Duration.seconds(180)
    /// How long it has to answer without a gap, as one process: one that ends some seconds after its start has answered by then.
    static let hold = Duration.seconds(10)
    private static let interval = Duration.seconds(1)

    // MARK: Before

    /// Whether it is known what ran before.
    func isNoted() throws -> Bool { try marks.has(.baseline) }

    func note() async throws {
        var lines: [String] = []
        for unit in [Self.control, Self.pool] {
            if try await isActive(unit) { lines.append("unit \(unit)") }
        }
        for path in try sockets() where answers(path) { lines.append("socket \(path)") }
        try marks.set(.baseline, lines)
    }

    // MARK: After

    /// Has control be the version that the link leads to, and waits until it has shown that it works.
    ///
    /// Rooms' workers are not ended with it (`KillMode=process`), and the new one adopts them.
    func renewControl() async throws {
        try marks.set(.restarted)
        try await systemctl(["daemon-reload"])
        try await systemctl(["restart", Self.control])
        try await prove(noting: true)
        try marks.set(.control)
    }

    /// The same for the pool, where it ran before; receivers outlive it in the same way.
    func renewPool() async throws {
        if try marks.lines(.baseline).contains("unit \(Self.pool)") {
            try await systemctl(["restart", Self.pool])
            guard try await isActive(Self.pool) else { throw UpgradeFault("the pool was started and does not run") }
        }
        try marks.set(.pool)
    }

    /// Whatever listened before and is still there has to listen: a receiver whose broadcast has ended meanwhile took its socket away.
    func proveWorkers() throws {
        for line in try marks.lines(.baseline) {
            guard line.hasPrefix("socket ") else { continue }
            let path = String(line.dropFirst(7))
            if try FileTree.look(machine.place(path)) != nil, !answers(path) {
                throw UpgradeFault("what listened at \(path) before does not any more")
            }
        }
        try marks.set(.workers)
    }

    /// Has everything run that ran before, from what the link leads to by now.
    ///
    /// The database stays as it is: steps of the schema only add, and the version before runs on what the new one has made of it. Its copy
    /// is put back only where control does not work otherwise, and the new one has never answered anybody: then nothing is lost by it.
    ///
    /// - Parameter copy: of the database from before; nil where none was made.
    func goBack(copy: String?) async throws {
        try await systemctl(["daemon-reload"])
        guard try marks.has(.restarted) else { return }
        do {
            try await systemctl(["restart", Self.control])
            try await prove(noting: false)
        } catch let error as CancellationError {
            throw error
        } catch {
            guard let copy, try !marks.has(.answered), try FileTree.look(machine.place(Self.copyPath(copy))) != nil else { throw error }
            try await systemctl(["stop", Self.control])
            try await restore(copy)
            try await systemctl(["start", Self.control])
            try await prove(noting: false)
        }
        if try marks.lines(.baseline).contains("unit \(Self.pool)") { try await systemctl(["restart", Self.pool]) }
    }

    // MARK: The database

    static func copyPath(_ name: String) -> String { "\(SitePaths.control)/\(name)" }

    /// Copies the database while control runs, as the user of control.
    func copyDatabase(as name: String) async throws {
        try await asControl(["copy", "--config", SitePaths.controlConfiguration, "--copy", name])
    }

    /// Puts a copy in the place of the database; control must not run. May be asked again: what is put aside then is the copy.
    func restore(_ name: String) async throws {
        try await asControl(["restore", "--config", SitePaths.controlConfiguration, "--copy", name])
    }

    func stopControl() async throws {
        try marks.set(.restarted)
        try await systemctl(["stop", Self.control])
    }

    private func asControl(_ words: [String]) async throws {
        try await machine.run(
            ["setpriv", "--reuid=strata-control", "--regid=strata-control", "--clear-groups", "--no-new-privs"]
                + ["\(SitePaths.programs)/strata-control"] + words)
    }

    // MARK: Parts

    /// - Parameter noting: whether a first answer is to be remembered.
    private func prove(noting: Bool) async throws {
        let end = uptime() + Self.proofLimit
        var fault = "control does not answer"
        var since: Instant?
        var last = ""
        while true {
            do {
                let process = try await systemctl(["show", "--property=MainPID", "--value", Self.control]).text
                let status = try await get(health)
                let now = uptime()
                if process != last || status != 200 { since = nil }
                last = process
                if status == 200 {
                    if noting, try !marks.has(.answered) { try marks.set(.answered) }
                    let start = since ?? now
                    since = start
                    if now - start >= Self.hold { return }
                    fault = "control worked for \((now - start).components.seconds) s and then no longer"
                } else {
                    fault = "control says that it is not well (\(status))"
                }
            } catch let error as CancellationError {
                throw error
            } catch {
                since = nil
                fault = "control does not answer: \(error)"
            }
            guard uptime() < end else { throw UpgradeFault("\(fault); 'journalctl -u strata-control -n 20' says why") }
            try await pause(Self.interval)
        }
    }

    private func isActive(_ unit: String) async throws -> Bool {
        try await machine.run(["systemctl", "--quiet", "is-active", unit], mayFail: true).isSuccess
    }

    @discardableResult
    private func systemctl(_ words: [String]) async throws -> HostMachine.Answer { try await machine.run(["systemctl"] + words) }

    private func sockets() throws -> [String] {
        var paths: [String] = []
        for folder in UpgradePaths.sockets where try FileTree.look(machine.place(folder)) == .folder {
            paths += try FileTree.names(in: machine.place(folder)).filter { $0.hasSuffix(".sock") }.map { "\(folder)/\($0)" }
        }
        return paths.sorted()
    }

    /// Who listens there refuses a second parent, which is an answer; so is that it is another user's, and that more than it has room for
    /// wait for it (unix(7), connect: EAGAIN).
    private func answers(_ path: String) -> Bool {
        do throws(SystemError) {
            _ = try UnixSocket.connect(to: machine.place(path))
            return true
        } catch {
            return error.code == EPERM || error.code == EAGAIN
        }
    }
}
