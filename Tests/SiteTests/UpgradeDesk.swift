import Crypto
import Foundation
import Installation
import Posix
import Releases
import Support
import Testing
import Wire

@testable import Site
@testable import Upgrade

/// A server on a stand-in host, who signs its releases, and what they are like.
final class UpgradeDesk: Sendable {
    /// What is wrong with a version.
    enum Fault: Sendable {
        /// It never answers.
        case silent
        /// It answers, and is another process every few seconds.
        case restarting
    }

    private struct State {
        var elapsed = Duration.zero
        /// What control was when it was started last.
        var started = "1.0.0"
        var starts = 0
        var faults: [String: Fault] = [:]
        /// From this version on a database is nothing that older ones run on.
        var breaking: String?
        var isDatabaseMoved = false
        /// What is put aside of the database is nothing that can be put back.
        var isDamaged = false
        /// Digests of manifests, and of each release's control.
        var digests: [String: [UInt8]] = [:]
        var controls: [String: String] = [:]
    }

    let host: StandInHost
    private let root: Ed25519PrivateKey
    private let daily: Ed25519PrivateKey
    private let state = Guarded(State())

    static let clock: Int64 = 1_795_392_000_000

    init() async throws {
        host = try StandInHost()
        root = try Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: 32))
        daily = try Ed25519PrivateKey(seed: [UInt8](repeating: 2, count: 32))
        let keys = try KeyList(number: 1, roots: [root.publicKey], releases: [.init(key: daily.publicKey, end: 1_900_000_000)])
        try Data(SignedText(keys.bytes, by: [root]).bytes).write(to: URL(fileURLWithPath: host.folder["keys.1"]))
        let plan = try plan()
        _ = try await host.installer(try plan.steps()).install(Self.order(plan))
        _ = try host.folder.makeFolder(Self.shelf)
    }

    static func fields(_ host: StandInHost) -> [String: String] {
        ["host": "live.example.org", "release-keys": host.folder["keys.1"]]
    }

    static func order(_ plan: SitePlan) -> Journal.Order { Journal.Order(settings: plan.answers.fields, version: "1.0.0") }

    static func kind() throws -> MachineClass { try #require(MachineClass("amd64")) }

    func plan() throws -> SitePlan { try host.plan(Self.fields(host)) }

    func version(_ text: String) throws -> ReleaseVersion { try #require(ReleaseVersion(text)) }
    func digest(_ version: String) throws -> [UInt8] { try #require(state.withLock { $0.digests[version] }) }
    func sicken(_ version: String, _ fault: Fault) { state.withLock { $0.faults[version] = fault } }
    func breakDatabase(from version: String) { state.withLock { $0.breaking = version } }
    func damageDatabase() { state.withLock { $0.isDamaged = true } }

    // MARK: Releases

    /// Puts a release where the operator does.
    func publish(
        _ version: String, sequence: Int64, channel: ReleaseChannel = .stable, minimum: String = "0.9.0", expires: Int64 = 1_900_000_000,
        isForged: Bool = false
    ) throws {
        let kind = try Self.kind()
        var files: [(path: String, text: String, isExecutable: Bool)] = [
            ("dashboard/index.html", "page \(version)", false), ("dashboard/assets/Main-2.js", "script \(version)", false),
        ]
        for name in SiteSource.programs { files.append(("bin/\(name)", "\(name) \(version)", true)) }
        for name in SiteSource.units + SiteSource.updaterUnits { files.append(("systemd/\(name)", "# \(version)\n", false)) }
        var signed: [ReleaseFile] = []
        for file in files {
            let bytes = Array(file.text.utf8)
            let digest = SHA256.hash(bytes)
            try host.folder.write(file.text, to: "\(Self.shelf)/\(Hex.encode(digest))")
            if file.path == "bin/strata-control" { state.withLock { $0.controls[version] = Hex.encode(digest) } }
            let one = ReleaseFile(
                product: .server, machine: kind, isExecutable: file.isExecutable, size: bytes.count, digest: digest, path: file.path)
            signed.append(try #require(one))
        }
        let manifest = try ReleaseManifest(
            version: try self.version(version), sequence: sequence, channel: channel, released: 500, expires: expires,
            minimum: try self.version(minimum), files: signed)
        let document = try SignedText(manifest.bytes, by: [isForged ? try Ed25519PrivateKey.generate() : daily])
        try Data(document.bytes).write(to: URL(fileURLWithPath: host.folder["\(Self.shelf)/\(version).release"]))
        state.withLock { $0.digests[version] = SHA256.hash(manifest.bytes) }
    }

    private static let shelf = "root/var/lib/strata/control/releases"

    /// Has the shelf hold other bytes of a release's control than were signed, as many of them.
    func spoil(_ version: String) throws {
        let name = try #require(state.withLock { $0.controls[version] })
        try host.folder.write(String(repeating: "x", count: "strata-control \(version)".utf8.count), to: "\(Self.shelf)/\(name)")
    }

    /// As control asks.
    func order(_ move: ServerOrder.Move) throws {
        let order = try #require(ServerOrder(id: randomBytes(16), move: move))
        try host.folder.write(String(decoding: order.bytes, as: UTF8.self), to: "root/var/lib/strata/control/update-order")
    }

    // MARK: The updater

    /// - Parameter name: a step that fails once, before it does anything or after all of it.
    func updater(failing name: String? = nil, after isAfter: Bool = false) throws -> ServerUpdater {
        var updater = ServerUpdater(
            HostMachine(root: host.root, isThisOne: true) { [self] in try await run($0) },
            ServerUpdater.Home(
                version: try version("1.0.0"), answers: try SiteAnswers(Self.fields(host)), kind: try Self.kind()),
            ServerUpdater.Surroundings(
                get: { [self] _ in try health() }, now: { Self.clock },
                uptime: { [state] in Instant(nanoseconds: 0) + state.withLock { $0.elapsed } },
                pause: { [state] time in state.withLock { $0.elapsed += time } }))
        let fault: (any Error)? = StandInHost.Broken()
        if let name { updater.alter = Self.altering(name, before: isAfter ? nil : fault, after: isAfter ? fault : nil) }
        return updater
    }

    /// Runs it until the power goes: before the next write of journal or state, once so many were made.
    ///
    /// - Returns: whether it went.
    func run(cutAfter budget: Guarded<Int>) async throws -> Bool {
        var updater = try updater()
        updater.beforeWrite = {
            try budget.withLock { rest in
                guard rest > 0 else { throw JournalStore.Fault.notKept("the power went") }
                rest -= 1
            }
        }
        return try await isCut(updater)
    }

    /// Runs it until the power goes within a step.
    func run(cutAt name: String) async throws -> Bool {
        var updater = try updater()
        updater.alter = Self.altering(name, before: JournalStore.Fault.notKept("the power went"), after: nil)
        return try await isCut(updater)
    }

    private func isCut(_ updater: ServerUpdater) async throws -> Bool {
        do {
            _ = try await updater.run()
            return false
        } catch is JournalStore.Fault {
            return true
        }
    }

    private static func altering(
        _ name: String, before: (any Error)?, after: (any Error)?
    ) -> @Sendable ([Step]) -> [Step] {
        { steps in
            steps.map { step in
                guard step.name == name else { return step }
                return Step(
                    step.name, step.phase, step.title, contents: step.contents, resources: step.resources, look: step.look,
                    prepare: step.prepare,
                    make: {
                        if let before { throw before }
                        try await step.make()
                        if let after { throw after }
                    },
                    undo: step.undo)
            }
        }
    }

    // MARK: What is there

    func text(_ path: String) throws -> String { try String(contentsOfFile: host.folder[path], encoding: .utf8) }

    /// The version of the program that units start.
    func running() throws -> String {
        let text = try text("root/usr/bin/strata-control")
        return text.hasPrefix("#!") ? "1.0.0" : String(text.split(separator: " ").last ?? "")
    }

    func page() throws -> String { try text("root/usr/share/strata/dashboard/index.html") }
    func unit() throws -> String { try text("root/usr/lib/systemd/system/strata-control.service") }
    func database() throws -> String { try text("root/var/lib/strata/control/strata.db") }

    /// What control was when it was started last.
    var started: String { state.withLock { $0.started } }

    /// The machine starts after a loss of power.
    func boot() async throws { _ = try await run(["systemctl", "start", "strata-control.service"]) }

    // MARK: Stand-ins

    private func run(_ words: [String]) async throws -> HostMachine.Answer {
        if words[0] == "setpriv" { try change(words) }
        let answer = try await host.machine.run(words, mayFail: true)
        guard words[0] == "systemctl", words.last == "strata-control.service" else { return answer }
        if words.contains("show") {
            let process = process
            return HostMachine.Answer(isSuccess: true, text: process, said: process)
        }
        if !Set(words).isDisjoint(with: ["start", "restart"]) {
            let version = try running()
            state.withLock { state in
                state.started = version
                state.starts += 1
                if state.breaking == version { state.isDatabaseMoved = true }
            }
        }
        return answer
    }

    /// Each start is another process; where it restarts by itself, every 4 s.
    private var process: String {
        state.withLock { state in
            guard state.faults[state.started] == .restarting else { return "\(100 + state.starts)\n" }
            return "\(1000 + state.elapsed.components.seconds / 4)\n"
        }
    }

    private func health() throws -> Int {
        let isSilent = state.withLock { state in
            state.faults[state.started] == .silent || state.isDatabaseMoved && state.started != state.breaking
        }
        guard !isSilent, host.active.contains("strata-control.service") else { throw StandInHost.Broken() }
        return 200
    }

    /// `strata-control copy` and `strata-control restore`, on files that are no databases.
    private func change(_ words: [String]) throws {
        guard let verb = words.first(where: { ["copy", "restore"].contains($0) }), let name = words.last else { return }
        let folder = host.folder["root/var/lib/strata/control"]
        if verb == "restore" {
            #expect(!host.active.contains("strata-control.service"), "control runs while its database is replaced")
            if name.contains("before-restore."), state.withLock({ $0.isDamaged }) { throw StandInHost.Broken() }
            let aside = "strata.db.before-restore.\(Self.clock + 1)"
            if !FileManager.default.fileExists(atPath: "\(folder)/\(aside)") {
                try FileManager.default.copyItem(atPath: "\(folder)/strata.db", toPath: "\(folder)/\(aside)")
            }
            try FileManager.default.removeItem(atPath: "\(folder)/strata.db")
            state.withLock { $0.isDatabaseMoved = false }
        }
        let (source, target) = verb == "copy" ? ("strata.db", name) : (name, "strata.db")
        try FileManager.default.copyItem(atPath: "\(folder)/\(source)", toPath: "\(folder)/\(target)")
    }
}
