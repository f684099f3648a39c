import Crypto
import Foundation
import Posix
import Releases
import Support
import Testing

/// Who makes releases, signs them and publishes them at a server.
struct ReleaseWorkshop {
    private let stage: Stage
    let root: Ed25519PrivateKey
    let daily: Ed25519PrivateKey

    static let board = "testboard"

    init(_ stage: Stage) throws {
        self.stage = stage
        (root, daily) = (try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate())
    }

    /// The list of keys that comes with an installation.
    func keys(number: Int = 1, until end: Int64 = 4_000_000_000, signing key: Ed25519PrivateKey? = nil) throws -> SignedText {
        let list = try KeyList(number: number, roots: [root.publicKey], releases: [.init(key: (key ?? daily).publicKey, end: end)])
        return try SignedText(list.bytes, by: [root])
    }

    func manifest(_ version: String, _ files: [String: [UInt8]]) throws -> ReleaseManifest {
        let machine = try #require(MachineClass(Self.board))
        let listed = try files.map { path, bytes in
            try #require(
                ReleaseFile(
                    product: .agent, machine: machine, isExecutable: path == "strata-agent", size: bytes.count,
                    digest: SHA256.hash(bytes), path: path))
        }
        let number = try #require(ReleaseVersion(version))
        return try ReleaseManifest(
            version: number, sequence: Int64(number.minor) + 2, channel: .stable, released: 1_700_000_000, expires: 4_000_000_000,
            minimum: ReleaseVersion(0, 0, 1), files: listed)
    }

    /// - Parameter content: what control hands out in the place of each file.
    @discardableResult
    func publish(
        _ version: String, _ files: [String: [UInt8]], by key: Ed25519PrivateKey? = nil, content: ([UInt8]) -> [UInt8] = { $0 }
    ) throws -> ReleaseManifest {
        let manifest = try manifest(version, files)
        for bytes in files.values { try ReleaseRouteTests.publish(content(bytes), as: Hex.encode(SHA256.hash(bytes)), on: stage) }
        try ReleaseRouteTests.publish(try SignedText(manifest.bytes, by: [key ?? daily]).bytes, as: "\(version).release", on: stage)
        return manifest
    }
}

/// What a release's agent is: a program that says of itself what a real one would.
enum StandIn: String {
    case good
    /// Ends at once.
    case crashing
    /// Never reaches control.
    case deaf

    /// - Parameter links: that are up, as it says.
    func program(_ version: String, links: [String] = ["lo"]) -> [UInt8] {
        Array(
            """
            #!/bin/sh
            # strata-agent --config NAME.conf, whose runtime folder is NAME.run; it broadcasts while that has a file 'live'.
            kind=\(rawValue)
            [ $kind = crashing ] && exit 1
            run="${2%.conf}.run"
            number=0
            while :; do
                number=$((number + 1))
                live=no control=yes
                [ -e "$run/live" ] && live=yes
                [ $kind = deaf ] && control=no
                {
                    printf 'strata agent report 1\\nversion %s\\nprocess %d\\nnumber %d\\n' \(version) $$ $number
                    printf 'broadcasting %s\\ncontrol %s\\ninput camera\\n' $live $control
                    printf 'link %s\\n' \(links.sorted().joined(separator: " "))
                } >"$run/report.new"
                mv "$run/report.new" "$run/report"
                sleep 1
            done

            """.utf8)
    }
}

/// A board of an organisation of its own: a real updater, and a service that starts what the link points to.
final class UpdatedBoard {
    let name: String
    let owner: Visitor
    private(set) var updater: RunningProgram?
    private let stage: Stage
    private let place: [String]

    private var folder: TemporaryFolder { stage.folder }
    var root: String { folder["\(name).root"] }
    var run: String { folder["\(name).run"] }

    /// Ends what runs, as a service manager does, and starts what the link points to.
    private static let service = """
        # By then its number may be another process's.
        pid=$(cat "$2/pid" 2>/dev/null) && grep -qaF "$1/current" "/proc/$pid/cmdline" 2>/dev/null && kill -9 "$pid"
        setsid "$1/current/strata-agent" --config "$3" </dev/null >/dev/null 2>&1 &
        echo $! >"$2/pid"
        """

    convenience init(_ name: String, at desk: FrontDesk, keys: SignedText, program: String? = nil, cap: Int? = nil) async throws {
        try await self.init(
            name, on: desk.stage, desk.installation, owner: try await desk.stranger(name), keys: keys, program: program, cap: cap)
    }

    /// - Parameters:
    ///   - owner: of an organisation whose other boards have no updater.
    ///   - program: the agent that came with the installation; nil: one that works.
    ///   - cap: of its downloads, in kbit/s.
    ///   - links: that its first agent says are up.
    ///   - inside: where it lives.
    init(
        _ name: String, on stage: Stage, _ installation: Installation, owner: Visitor, keys: SignedText, program: String? = nil,
        cap: Int? = nil, links: [String] = ["lo"], inside: [String] = []
    ) async throws {
        self.name = name
        self.owner = owner
        self.stage = stage
        place = inside
        let folder = stage.folder
        let made = try await owner.post("/enrollment-tokens", #"{"kind":"sender","name":"\#(name)"}"#).text("token")
        try folder.write(made, to: "\(name).token")
        try await installation.redeem(folder["\(name).token"], name, inside: inside)
        _ = try folder.makeFolder("\(name).root")
        try folder.write(String(decoding: keys.bytes, as: UTF8.self), to: "\(name).keys")
        let agent = String(decoding: StandIn.good.program("0.1.0", links: links), as: UTF8.self)
        let first = try program ?? folder.write(agent, to: "\(name).agent")
        try folder.write(Self.service, to: "\(name).service")
        let restart = ["/bin/sh"] + ["service", "root", "run", "conf"].map { folder["\(name).\($0)"] }
        try folder.write(
            """
            [folders]
            root = "\(folder["\(name).root"])"
            state = "\(folder["\(name).state"])"
            runtime = "\(folder["\(name).run"])"
            [keys]
            file = "\(folder["\(name).keys"])"
            [agent]
            program = "\(first)"
            restart = [\(restart.map { "\"\($0)\"" }.joined(separator: ", "))]
            [updates]
            machine = "\(ReleaseWorkshop.board)"
            interval_seconds = 3
            proof_seconds = 60
            \(cap.map { "bandwidth_kbit = \($0)" } ?? "")
            [log]
            level = "info"
            """, to: "\(name).updater")
    }

    /// Starts the updater, and the agent where none was started yet.
    @discardableResult
    func start(inside: [String] = []) async throws -> RunningProgram {
        let updater = try stage.start("strata-updater", ["--config", folder["\(name).updater"]], inside: place + inside)
        self.updater = updater
        try await updater.line(containing: "watching over the agent", within: .seconds(20))
        if !FileManager.default.fileExists(atPath: run + "/pid") {
            let service = try stage.start("sh", [folder["\(name).service"], root, run, folder["\(name).conf"]], inside: place)
            _ = try await service.end(within: .seconds(5))
        }
        return updater
    }

    /// Begins a rollout to this board, the only one of its organisation.
    /// - Returns: the rollout's id.
    func roll(_ version: String, forced: Bool = false) async throws -> String {
        let body = RolloutRouteTests.request(version)
        let whole = forced ? String(body.dropLast(body.hasSuffix("\n") ? 2 : 1)) + #","forced":true}"# : body
        let answer = try await owner.post("/rollouts", whole)
        guard answer.status == 201 else { throw SupportFailure("no rollout: \(answer)") }
        return try answer.text("id")
    }

    /// What control knows of this board in a rollout, once that is one of `ends`. A user asks a hundred times a minute at most.
    func fate(
        in rollout: String, among ends: Set<String> = ["installed", "failed", "returned"], within seconds: Int = 60
    ) async throws -> (fate: String, reason: String) {
        var last = ""
        for _ in 0..<seconds {
            let boards = try await owner.get("/rollouts/\(rollout)").object()["boards"] as? [[String: Any]]
            last = boards?.first?["fate"] as? String ?? "none"
            if ends.contains(last) { return (last, boards?.first?["reason"] as? String ?? "") }
            try await Task.sleep(for: .seconds(1))
        }
        throw SupportFailure("\(name) stays '\(last)' in its rollout; its updater said:\n\(updater?.tail ?? "")")
    }

    /// The slot that the link points to.
    var slot: String? { try? FileManager.default.destinationOfSymbolicLink(atPath: root + "/current") }

    /// The version that says that it runs.
    var running: String? {
        // try?: it is being written.
        let lines = (try? String(contentsOfFile: run + "/report", encoding: .utf8))?.split(separator: "\n") ?? []
        return lines.first { $0.hasPrefix("version ") }.map { String($0.dropFirst(8)) }
    }

    /// Where an update is, as the journal has it.
    var phase: String? {
        // try?: there is none before the first update. A manifest is behind it, which is no other text.
        let lines = (try? String(contentsOfFile: root + "/journal", encoding: .utf8))?.split(separator: "\n") ?? []
        return lines.first { $0.hasPrefix("phase ") }.map { String($0.dropFirst(6)) }
    }
}
