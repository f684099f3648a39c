import Foundation
import Posix
import Support
import Testing
import Units
import Wire

/// Our units under a real systemd.
@Suite(.serialized, .unlessStolen, .enabled(if: Machine.isAllowed, "systemd and cgroups are not allowed here"))
struct BootTests {
    @Test(
        "control starts when its machine boots, as its own user, is started again when it dies, and timers renew its certificate and back it up",
        .row("DEP-01"))
    func server() async throws {
        try await onStage { stage in
            let configuration = """
                [server]
                origins = ["http://127.0.0.1:8080"]
                [backup]
                recipient = "/etc/strata/backup.pem"
                [log]
                level = "info"
                """
            let machine = try Machine(
                "server", on: stage, units: ["strata-control"], configuration: ["strata-control": configuration],
                programs: ["strata-provision"])
            do {
                try await server(machine)
            } catch {
                try await machine.cut()
                throw error
            }
            try await machine.cut()
        }
    }

    private func server(_ machine: Machine) async throws {
        // Before its process 1 is systemd there is nobody to ask.
        let main = try await machine.active("strata-control")
        #expect(try await machine.run("systemctl", "is-enabled", "strata-control").text == "enabled\n")
        #expect(try await health(machine) == #"{"status":"ok"}"#)
        #expect(
            try await machine.run("stat", "-c", "%U %a", "/var/lib/strata/control", "/var/lib/strata/control/master.key").text
                == "strata-control 700\nstrata-control 600\n")
        #expect(try await machine.run("ps", "-o", "user=", "-p", main).text.contains("strata"))

        let killed = Instant.now
        try await machine.run("kill", "-9", main)
        let second = try await machine.active("strata-control", after: main)
        measured("systemd has control back after", Instant.now - killed)
        #expect(try await health(machine) == #"{"status":"ok"}"#)
        #expect(try await machine.property("NRestarts", of: "strata-control") == "1")
        // Certificates are read again without an end of the process.
        try await machine.run("systemctl", "reload", "strata-control")
        #expect(try await machine.property("MainPID", of: "strata-control") == second)
        try await renew(machine, second)
        try await backUp(machine)
        try await machine.run("systemctl", "stop", "strata-control")
        #expect(try await machine.property("Result", of: "strata-control") == "success")
    }

    /// The timer's service makes a new certificate of the same authority, as the user whose it is, and has control read it.
    private func renew(_ machine: Machine, _ main: String) async throws {
        let folder = "/etc/strata/tls"
        try await machine.run("install", "-d", "-o", "strata-control", "-m", "700", folder)
        var fingerprints: [[String]] = []
        for _ in 0..<2 {
            let reloads = try await reloads(machine)
            try await machine.run("systemctl", "start", "strata-certificate@live.example.org.service")
            let files = ["ca.pem", "chain.pem", "key.pem"].map { "\(folder)/\($0)" }
            let modes = try await machine.run("sh", "-c", "stat -c '%U %a' \(files.joined(separator: " "))").text
            #expect(modes == String(repeating: "strata-control 600\n", count: 3))
            let verified = try await machine.run("openssl", "verify", "-CAfile", files[0], "-verify_hostname", "live.example.org", files[1])
            #expect(verified.text == "\(files[1]): OK\n")
            #expect(try await self.reloads(machine) == reloads + 1)
            fingerprints.append(
                try await machine.run("sh", "-c", "for f in \(files[0]) \(files[1]); do openssl x509 -noout -fingerprint -in $f; done").text
                    .split(separator: "\n").map(String.init))
        }
        #expect(fingerprints[0][0] == fingerprints[1][0] && fingerprints[0][1] != fingerprints[1][1], "\(fingerprints)")
        #expect(try await machine.property("MainPID", of: "strata-control") == main)
        try await machine.run("systemctl", "start", "strata-certificate@live.example.org.timer")
        let next = try await machine.property("NextElapseUSecRealtime", of: "strata-certificate@live.example.org.timer")
        #expect(!next.isEmpty && next != "n/a", "\(next)")
    }

    /// The timer's service makes a backup beside the running control, inside its own sandbox.
    private func backUp(_ machine: Machine) async throws {
        try await machine.run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=backups", "-keyout",
            "/root/backup.key", "-out", "/etc/strata/backup.pem")
        try await machine.run("systemctl", "start", "strata-backup.service")
        let made = try await machine.run("sh", "-c", "stat -c '%U %a' /var/backups/strata/strata-*Z.backup").text
        #expect(made == "strata-control 600\n")
        try await machine.run("systemctl", "start", "strata-backup.timer")
        let next = try await machine.property("NextElapseUSecRealtime", of: "strata-backup.timer")
        #expect(!next.isEmpty && next != "n/a", "\(next)")
    }

    private func reloads(_ machine: Machine) async throws -> Int {
        try await machine.run("cat", "/run/units.log").text.components(separatedBy: "certificates read again").count - 1
    }

    private func health(_ machine: Machine) async throws -> String {
        try await machine.run("curl", "-s", "-m", "5", "http://127.0.0.1:8080/health").text
    }

    @Test(
        "the pool starts at boot, its receivers run in its sandbox, and a restart of it leaves them and their broadcast alone",
        .row("DEP-01", "CTL-12"))
    func pool() async throws {
        var settings = Installation.Settings()
        settings.hasPool = false
        try await inStudio(settings) { studio in
            let folder = studio.stage.folder
            try await studio.installation.enrollPool()
            try FileManager.default.moveItem(atPath: folder["pool"], toPath: folder.makeFolder("host.state") + "/pool")
            // Its own folders, as the reference configuration has them.
            var configuration = try String(contentsOfFile: folder["pool.conf"], encoding: .utf8)
            for (own, theirs) in [
                ("run", "/run/strata"), ("pool", "/var/lib/strata/pool"), ("recordings", "/var/lib/strata/pool/recordings"),
            ] {
                configuration = configuration.replacingOccurrences(of: "\"\(folder[own])\"", with: "\"\(theirs)\"")
            }
            // In this machine's network, where control and the platform are.
            let machine = try Machine(
                "pool", on: studio.stage, units: ["strata-pool"], configuration: ["strata-pool": configuration],
                programs: ["strata-receiver", "strata-still", "strata-slate"], state: folder["host.state"],
                inside: ["nsenter", "--net=/proc/self/ns/net"])
            do {
                try await pool(machine, studio)
            } catch {
                try await machine.cut()
                throw error
            }
            try await machine.cut()
        }
    }

    private func pool(_ machine: Machine, _ studio: Studio) async throws {
        let main = try await machine.active("strata-pool")
        let sender = try await studio.sender()
        let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
        let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small))
        let live = try await studio.owner.wait(id, for: ["live"])
        let receivers = try await receivers(machine)
        #expect(receivers.count == 1)
        // What the sandbox takes away holds for what was spawned in it too.
        let status = try await machine.run("cat", "/proc/\(try #require(receivers.first))/status").text
        for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t0000000000000000"] { #expect(status.contains(line), "\(status)") }
        #expect(try await machine.run("ps", "-o", "user=", "-p", receivers[0]).text.contains("strata-p"))
        try await studio.record(.seconds(2), of: "show", by: studio.nginx)
        try await eventually(within: .seconds(8), "a picture is made in the sandbox too") {
            try studio.owner.broadcast(id)?.thumbnailAt != nil
        }
        try await eventually(within: .seconds(8), "so is a slate") {
            try await machine.run("cat", "/run/units.log").text.contains("slate is ready")
        }

        let asked = Instant.now
        try await machine.run("systemctl", "restart", "strata-pool")
        try await machine.active("strata-pool", after: main)
        measured("the pool is restarted after", Instant.now - asked)
        #expect(try await self.receivers(machine) == receivers)
        let before = try studio.owner.broadcast(id)?.receiver?.uptimeSeconds ?? 0
        try await eventually(within: .seconds(5), "the next pool reports the same receiver") {
            guard let view = try studio.owner.broadcast(id), view.state == "live", let receiver = view.receiver else { return false }
            return receiver.pid == live.receiver?.pid && receiver.restarts == 0 && receiver.uptimeSeconds ?? 0 >= before + 2
        }
        try await studio.record(.seconds(2), of: "show", by: studio.nginx)
        try await studio.stop(id)
        #expect(try studio.nginx.recordings("show").count == 1)
        for delivery in try studio.deliveries(try #require(try studio.nginx.recordings("show").last)) {
            #expect(delivery.isComplete, "\(delivery)")
        }
        try await eventually(within: .seconds(5), "no receiver is left") { try await self.receivers(machine).isEmpty }
        try await machine.run("systemctl", "stop", "strata-pool")
        #expect(try await machine.property("Result", of: "strata-pool") == "success")
    }

    /// The receivers that run in a machine, as it numbers them.
    private func receivers(_ machine: Machine) async throws -> [String] {
        try await machine.run("pgrep", "-x", "strata-receiver", mayFail: true).text.split(separator: "\n").map(String.init)
    }

    @Test(
        "a board's agent starts at boot under its unit, sends, is started again, and after a power cut goes on by itself",
        .row("DEP-01", "SND-14"))
    func board() async throws {
        try await inStudio { studio in
            _ = try await studio.installation.enrollSender("board", inside: studio.field)
            let state = studio.stage.folder["board.state"]
            let network = ["nsenter", "--net=/run/netns/\(studio.network.field.name)"]
            let machine = try Machine("board", on: studio.stage, units: ["strata-agent"], state: state, inside: network)
            let id: BroadcastID
            do {
                id = try await board(machine, studio)
            } catch {
                try await machine.cut()
                throw error
            }
            try await machine.cut()
            // A board without power is seen as such; one that is back within the buffer's length need not be.
            try await studio.owner.wait(id, for: ["interrupted"], within: .seconds(4))
            let again = try Machine("again", on: studio.stage, units: ["strata-agent"], state: state, inside: network)
            do {
                try await resume(again, studio, id)
            } catch {
                try await again.cut()
                throw error
            }
            try await again.cut()
        }
    }

    @Test("what the pool's unit runs gets no packet to a cloud's own servers, whatever it tries")
    func filter() async throws {
        try await onStage { stage in
            let machine = try Machine("filter", on: stage, units: ["strata-pool"])
            do {
                try await machine.booted()
                try await filter(machine)
            } catch {
                try await machine.cut()
                throw error
            }
            try await machine.cut()
        }
    }

    /// In place of the pool the unit runs what tries each address; all of them are this machine's own.
    private func filter(_ machine: Machine) async throws {
        let denied = ["169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"]
        let allowed = ["127.0.0.1", "203.0.113.7", "192.168.7.7", "2001:db8::7"]
        let script = """
            import socket, sys
            for text in sys.argv[1:]:
                socket_ = socket.socket(socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_DGRAM)
                try:
                    socket_.sendto(b"x", (text, 9))
                    print("try:", text, "sent", file=sys.stderr)
                except OSError as error:
                    print("try:", text, error.strerror, file=sys.stderr)
            """
        for address in denied + allowed.dropFirst() { try await machine.run("ip", "address", "add", address, "dev", "lo") }
        let command = "python3 /etc/strata/try \((denied + allowed).joined(separator: " "))"
        let unit = "[Service]\nType=oneshot\nRestart=no\nExecStart=\nExecStart=\(command)\n"
        for (text, path) in [(script, "/etc/strata/try"), (unit, "/run/units/strata-pool.service.d/try.conf")] {
            try await machine.run("sh", "-c", "printf %s \"$1\" > \(path)", "sh", text)
        }
        try await machine.run("systemctl", "stop", "strata-pool")
        try await machine.run("systemctl", "daemon-reload")
        try await machine.run("systemctl", "start", "strata-pool")
        let lines = try await machine.run("grep", "^try:", "/run/units.log").text.split(separator: "\n").map { $0.dropFirst(5) }
        let sent = lines.filter { $0.hasSuffix(" sent") }.compactMap { $0.split(separator: " ").first.map(String.init) }
        measured("the unit's filter", lines.joined(separator: ", "))
        #expect(lines.count == denied.count + allowed.count && sent == allowed)
    }

    /// With power again it sends again, and nobody does anything.
    private func resume(_ machine: Machine, _ studio: Studio, _ id: BroadcastID) async throws {
        let power = Instant.now
        try await studio.owner.wait(id, for: ["live"], within: .seconds(30))
        measured("live after the power is back", Instant.now - power)
        try await studio.stop(id)
        try await machine.run("systemctl", "stop", "strata-agent")
        #expect(try await machine.property("Result", of: "strata-agent") == "success")
    }

    private func board(_ machine: Machine, _ studio: Studio) async throws -> BroadcastID {
        let main = try await machine.active("strata-agent")
        let sender = try await eventually(within: .seconds(20), "the board is online with its links") {
            let list: ListView<SenderView> = try await studio.owner.call(.get, "/senders")
            return list.items.first { $0.name == "board" && $0.online && $0.inventory.links.filter { $0.state == .up }.count >= 3 }
        }
        let platform = try await studio.destination("platform", url: studio.nginx.url(), secret: "show")
        let id = try await studio.start(StartRequest(sender: sender.id, destinations: [platform], encoder: Studio.small))
        try await studio.owner.wait(id, for: ["live"])
        try await weigh(machine, main)

        let killed = Instant.now
        try await machine.run("kill", "-9", main)
        try await machine.active("strata-agent", after: main)
        measured("systemd has the agent back after", Instant.now - killed)
        try await studio.owner.wait(id, for: ["live"], within: .seconds(15))
        try await studio.record("show", seconds: 3)
        return id
    }

    /// What the agent takes of the board while it sends, by its threads.
    private func weigh(_ machine: Machine, _ main: String) async throws {
        let before = try await ticks(machine, main)
        try await Task.sleep(for: .seconds(5))
        let after = try await ticks(machine, main)
        let spent = after.map { (name: $0.key, share: Double($0.value - before[$0.key, default: 0]) / 500) }.sorted { $0.share > $1.share }
        measured("threads", spent.map { "\($0.name) \(Int($0.share * 1000))" }.joined(separator: ", ") + " thousandths of a core")
        // Pictures and sound are made, encoded and multiplexed in the threads of pipelines, which are called after their sources.
        let beside = spent.filter { !$0.name.contains("src") }.map(\.share).reduce(0, +)
        measured("beside the encoder", "\(Int(beside * 1000)) thousandths of a core")
        #expect(beside < 0.1)
        let status = try await machine.run("cat", "/proc/\(main)/status").text
        let resident = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }?.split(separator: " ").dropFirst().first.flatMap {
            Int($0)
        }
        measured("the agent's memory", "\((resident ?? 0) / 1024) MiB")
        #expect(try #require(resident) < 200 * 1024)
    }

    /// Processor time of a process by the names of its threads, in hundredths of a second.
    private func ticks(_ machine: Machine, _ main: String) async throws -> [String: Int] {
        let text = try await machine.run("sh", "-c", "cat /proc/\(main)/task/*/stat").text
        var sums: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            guard let open = line.firstIndex(of: "("), let end = line.lastIndex(of: ")") else { continue }
            // After the name, state is field 3, utime 14, stime 15. Source: proc(5).
            let fields = line[end...].split(separator: " ")
            guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]) else { continue }
            sums[String(line[line.index(after: open)..<end]), default: 0] += user + system
        }
        return sums
    }
}
