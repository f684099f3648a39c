import Foundation
import Posix
import Support

/// A machine that boots: systemd as process 1 of its own namespaces, over this machine's files, with our units installed as
/// an installer does it (units, users, temporary files, enabled) and none of this machine's own.
///
/// What it writes lies in memory and goes with it, but for its state. There is no journal: what the units log goes to a file.
final class Machine: Sendable {
    private let stage: Stage
    private let group: String
    private let first: Guarded<Int32?> = Guarded(nil)
    private let starter: RunningProgram

    /// Whether systemd and a writable cgroup2 hierarchy are here.
    static var isAllowed: Bool { getuid() == 0 && access("/lib/systemd/systemd", X_OK) == 0 && hierarchy != nil }

    private static var hierarchy: String? {
        let mounts = (try? String(contentsOfFile: "/proc/mounts", encoding: .utf8)) ?? ""
        let places = mounts.split(separator: "\n").map { $0.split(separator: " ") }.filter { $0.count > 2 && $0[2] == "cgroup2" }
        return places.map { String($0[1]) }.first { access($0, W_OK) == 0 }
    }

    /// - Parameters:
    ///   - units: of our `systemd` folder, enabled; none for a machine on which nothing of ours was installed.
    ///   - configuration: a file for each, in place of the reference one.
    ///   - state: a folder that is `/var/lib/strata`, the first unit's: what is written there outlives the power.
    ///   - programs: of ours that are installed beside the units' own.
    ///   - over: more folders of this machine, without the first slash, that it may write to; the ones above others first.
    ///   - borrowing: this machine's own units that it has as well, e.g. `certbot.timer`.
    ///   - inside: what comes before the command: a namespace's network, or nothing for one of its own.
    init(
        _ name: String, on stage: Stage, units: [String], configuration: [String: String] = [:], programs: [String] = [],
        state: String? = nil, over: [String] = [], borrowing: [String] = [], inside: [String] = []
    ) throws {
        guard let hierarchy = Self.hierarchy else { throw SupportFailure("there is no cgroup2 hierarchy") }
        self.stage = stage
        group = "\(hierarchy)/strata-\(getpid())-\(name)"
        let folder = try stage.folder.makeFolder("machine-\(name)")
        try FileManager.default.createDirectory(atPath: group, withIntermediateDirectories: true)
        for unit in units {
            let reference = try String(contentsOf: Self.units.appendingPathComponent("\(unit).conf"), encoding: .utf8)
            try (configuration[unit] ?? reference).write(toFile: "\(folder)/\(unit).conf", atomically: true, encoding: .utf8)
        }
        let script = try stage.folder.write(try Self.boot(units, programs, folder, state, over, borrowing), to: "machine-\(name)/boot")
        let own = inside.isEmpty ? ["--net"] : []
        let words = ["unshare", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--fork", "--mount-proc", "--kill-child"] + own
        let command = "echo $$ > \(group)/cgroup.procs && exec \(words.joined(separator: " ")) sh -e \(script)"
        starter = try stage.start("sh", ["-c", command], inside: inside)
    }

    private static let units = Places.root.appendingPathComponent("systemd")

    /// What process 1 does before it is systemd.
    private static func boot(
        _ units: [String], _ more: [String], _ folder: String, _ state: String?, _ over: [String], _ borrowed: [String]
    ) throws -> String {
        let ours = try units.first.map { try installed(units, more, folder, state, as: $0) } ?? fresh
        return """
            mount --make-rprivate /
            mount -t tmpfs tmpfs /run
            for place in \((over + ["etc"]).joined(separator: " ")) usr/bin usr/lib/sysusers.d usr/lib/tmpfiles.d var/backups var/lib; do
                mkdir -p /run/over/$place/new /run/over/$place/work
                mount -t overlay overlay -o lowerdir=/$place,upperdir=/run/over/$place/new,workdir=/run/over/$place/work /$place
            done
            mkdir -p /run/units
            mount -t tmpfs tmpfs /etc/systemd/system
            for unit in \(borrowed.joined(separator: " ")); do cp /usr/lib/systemd/system/$unit /run/units; done
            for name in network network-online multi-user sysinit basic shutdown; do
                printf '[Unit]\\nDescription=%s\\nDefaultDependencies=no\\n' $name > /run/units/$name.target
            done
            export container=strata SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/units
            \(ours)
            umount -R /sys/fs/cgroup
            mount -t cgroup2 cgroup2 /sys/fs/cgroup
            ip link set lo up
            cat /proc/sys/kernel/random/uuid | tr -d - > /etc/machine-id
            exec /lib/systemd/systemd --unit=multi-user.target --log-target=console --show-status=no
            """
    }

    /// As an installer leaves it.
    private static func installed(
        _ units: [String], _ more: [String], _ folder: String, _ state: String?, as user: String
    ) throws -> String {
        let source = Self.units.path
        let programs = try (units + more).map { "install -m 755 \(try Places.program($0)) /usr/bin/" }
        return """
            mkdir -p /etc/strata
            \(programs.joined(separator: "\n"))
            cp \(units.map { "\(source)/\($0).service" }.joined(separator: " ")) /run/units
            cp \(source)/strata-certificate@.* \(source)/strata-backup.* /run/units
            cp \(source)/strata.sysusers /usr/lib/sysusers.d/strata.conf
            cp \(source)/strata.tmpfiles /usr/lib/tmpfiles.d/strata.conf
            cp \(folder)/*.conf /etc/strata
            for unit in \(units.joined(separator: " ")); do
                mkdir /run/units/$unit.service.d
                printf '[Service]\\nStandardError=append:/run/units.log\\n' > /run/units/$unit.service.d/log.conf
            done
            systemd-sysusers strata.conf
            systemd-tmpfiles --create strata.conf
            \(state.map { "mkdir -p /var/lib/strata && mount --bind \($0) /var/lib/strata && chown -R \(user): /var/lib/strata" } ?? "")
            systemctl enable \(units.joined(separator: " "))
            """
    }

    /// Before an installer: where units are put there is none, and those that are put there are found.
    private static let fresh = """
        mount -t tmpfs tmpfs /usr/lib/systemd/system
        export SYSTEMD_UNIT_PATH=$SYSTEMD_UNIT_PATH:/usr/lib/systemd/system
        """

    /// Waits until systemd runs, where no unit of ours says so: before its process 1 is that there is nobody to ask, and systemctl says
    /// offline.
    func booted() async throws {
        try await eventually(within: .seconds(15), "systemd runs") {
            let state = try await self.run("systemctl", "is-system-running", mayFail: true).text
            return ["starting\n", "running\n", "degraded\n"].contains(state)
        }
    }

    /// Runs a command in it.
    @discardableResult
    func run(_ words: String..., mayFail: Bool = false) async throws -> ToolAnswer { try await run(words, mayFail: mayFail) }

    @discardableResult
    func run(_ words: [String], mayFail: Bool = false) async throws -> ToolAnswer {
        try await runTool("nsenter", ["-t", "\(try pid)", "-m", "-u", "-i", "-n", "-p", "-C"] + words, mayFail: mayFail)
    }

    /// A property of a unit, as systemd has it.
    func property(_ name: String, of unit: String) async throws -> String {
        try await run("systemctl", "show", "-p", name, "--value", unit).text.trimmingCharacters(in: .newlines)
    }

    /// Waits until a unit is active.
    /// - Returns: its main process, as this machine numbers it.
    @discardableResult
    func active(_ unit: String, after before: String = "", within limit: Duration = .seconds(15)) async throws -> String {
        do {
            return try await eventually(within: limit, "\(unit) is active") {
                let main = try await self.property("MainPID", of: unit)
                return try await self.property("ActiveState", of: unit) == "active" && main != before && main != "0" ? main : nil
            }
        } catch {
            // Whatever can still be said; the failure itself is thrown.
            let said = try? await run("sh", "-c", "systemctl status --no-pager \(unit); tail -20 /run/units.log", mayFail: true).text
            throw SupportFailure("\(error)\n\(starter.tail)\n\(said ?? "")")
        }
    }

    /// Process 1, as this machine numbers it.
    private var pid: Int32 {
        get throws {
            if let known = first.withLock({ $0 }) { return known }
            let text = try String(contentsOfFile: "/proc/\(starter.pid)/task/\(starter.pid)/children", encoding: .utf8)
            guard let child = text.split(separator: " ").first.flatMap({ Int32($0) }),
                try String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8).hasPrefix("systemd")
            else { throw SupportFailure("it has not booted:\n\(starter.tail)") }
            first.withLock { $0 = child }
            return child
        }
    }

    /// The power is cut: every process of it is gone at once.
    func cut() async throws {
        // Without process 1 there is nothing to end but the starter.
        if let child = try? pid { kill(child, SIGKILL) }
        starter.signal(SIGKILL)
        _ = try await starter.end(within: .seconds(5))
        try await eventually(within: .seconds(5), "its groups are gone") {
            let folders = FileManager.default.enumerator(atPath: group)?.compactMap { $0 as? String } ?? []
            for folder in folders.sorted(by: >) { rmdir("\(group)/\(folder)") }
            return rmdir(group) == 0 || errno == ENOENT
        }
    }
}
