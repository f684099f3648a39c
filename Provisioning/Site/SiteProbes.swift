import Crypto
import Glibc
package import Installation
package import Posix
import SQLite
import TLS

/// What is asked of a machine before anything is made on it. Nothing is left behind.
package struct SiteProbes: Sendable {
    private let answers: SiteAnswers
    private let source: SiteSource
    private let machine: HostMachine
    private let names: NameLookup
    private let now: @Sendable () -> Int64
    private let get: @Sendable (_ url: String) async throws -> Int

    /// - Parameters: as of `SitePlan`; `names` finds the addresses of the host.
    package init(_ plan: SitePlan, names: NameLookup = .system) {
        answers = plan.answers
        source = plan.source
        machine = plan.machine
        now = plan.now
        get = plan.get
        self.names = names
    }

    package var all: [PreflightProbe] {
        let isPublic = answers.certificate == .acme
        var probes = [
            PreflightProbe("rights", .required) { rights() },
            PreflightProbe("system", answers.hasPackages ? .required : .optional) { system() },
            PreflightProbe("disk", .required) { disk() }, PreflightProbe("clock", .required) { clock() },
            PreflightProbe("tls", .required) { await tls() }, PreflightProbe("database", .required) { await database() },
            PreflightProbe("store", .required) { store() },
        ]
        // Of another machine, whose files alone are here, nobody can ask these.
        guard machine.isThisOne else { return probes }
        probes += [
            PreflightProbe("ports", .required) { await ports() }, PreflightProbe("memory", .optional) { memory() },
            PreflightProbe("time", .optional) { await time() },
            PreflightProbe("dns", isPublic ? .required : .optional) { await dns() },
        ]
        return probes
    }

    // MARK: The machine

    private func rights() -> PreflightProbe.Verdict {
        geteuid() == 0 ? .passed("this is root") : .failed("this is not root", advice: "call it by sudo")
    }

    private func system() -> PreflightProbe.Verdict {
        // try?: what cannot be read is no Debian's.
        let bytes = try? FileWork.read(machine.place("/usr/lib/os-release"))
        let lines = String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n")
        let name = lines.first { $0.hasPrefix("PRETTY_NAME=") }?.dropFirst(12).filter { $0 != "\"" } ?? "an unknown system"
        let isKnown = lines.contains("ID=debian") && (lines.contains("VERSION_ID=\"12\"") || lines.contains("VERSION_ID=\"13\""))
        return isKnown
            ? .passed("\(name)")
            : .failed(
                "this is \(name)",
                advice: "use Debian 12 or 13, or see to the \(source.packages.count) packages yourself, with --packages no")
    }

    private static let leastDisk = 2
    private static let gibibyte = 1 << 30

    private func disk() -> PreflightProbe.Verdict {
        do {
            let folder = try nearest(SitePaths.control)
            var info = statvfs()
            guard statvfs(folder, &info) == 0 else { throw SystemError("statvfs", on: folder) }
            let free = Int(info.f_bavail) * Int(info.f_frsize) / Self.gibibyte
            // A file system that has no fixed number of them says 0 of 0.
            let hasNames = info.f_files == 0 || info.f_favail > 10_000
            return free >= Self.leastDisk && hasNames
                ? .passed("\(free) GiB free for \(SitePaths.state)")
                : .failed(
                    "\(free) GiB and \(info.f_favail) inodes free for \(SitePaths.state)",
                    advice: "make room: \(Self.leastDisk) GiB at least, and as much more as recordings shall have")
        } catch {
            return .failed("\(error)", advice: "see to the disk of \(SitePaths.state)")
        }
    }

    private func memory() -> PreflightProbe.Verdict {
        // Source: proc(5), /proc/meminfo. try?: without it nothing is known.
        let text = (try? String(decoding: bytesOfProc("/proc/meminfo"), as: UTF8.self)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemTotal:") }?.split(separator: " ") ?? []
        guard line.count >= 2, let kibibytes = Int(line[1]) else {
            return .failed("nobody knows how much there is", advice: "see to /proc")
        }
        let mebibytes = kibibytes / 1024
        return mebibytes >= 900
            ? .passed("\(mebibytes) MiB") : .failed("\(mebibytes) MiB", advice: "1 GiB carries a few streams; less will swap")
    }

    /// A file of /proc has no size: it is read to its end.
    private func bytesOfProc(_ path: String) throws -> [UInt8] {
        let raw = open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        let file = Descriptor(adopting: raw)
        var bytes = [UInt8](repeating: 0, count: 16 * 1024)
        let count = read(file.raw, &bytes, bytes.count)
        guard count >= 0 else { throw SystemError("read", on: path) }
        return Array(bytes.prefix(count))
    }

    /// The programs were built before now: a clock that says otherwise is wrong, and so would be the certificate's dates.
    private func clock() -> PreflightProbe.Verdict {
        var status = stat()
        let program = source.program("strata-control")
        guard stat(program, &status) == 0 else {
            return .failed("\(SystemError("stat", on: program))", advice: "name what ci/bundle makes by --from")
        }
        // A day for zones and for copies that are newer than what they are copies of.
        return now() > Int64(status.st_mtim.tv_sec) - 86_400
            ? .passed("later than these programs were built")
            : .failed("the clock is before these programs were built", advice: "set the clock: timedatectl set-ntp true")
    }

    private func time() async -> PreflightProbe.Verdict {
        do {
            // Source: timedatectl(1).
            let answer = try await machine.run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
            if answer.text.hasPrefix("yes") { return .passed("the clock is synchronised") }
            return .failed("the clock is not synchronised", advice: "timedatectl set-ntp true; without it certificates fail some day")
        } catch {
            return .failed("\(error)", advice: "see to it that something keeps the clock")
        }
    }

    private func ports() async -> PreflightProbe.Verdict {
        // Those of an installation that is gone on with are its own. try?: without an answer they are asked for.
        if (try? await SitePlan.state(of: SitePlan.control, on: machine).isActive) == true { return .passed("strata-control has them") }
        var tcp = [answers.httpsPort]
        if answers.certificate == .acme { tcp.append(80) }
        var udp: [Int] = answers.roomWorkers > 0 ? Array(answers.roomPort..<(answers.roomPort + answers.roomWorkers)) : []
        if answers.hasPool { udp += Array(answers.poolPorts) }
        var taken: [String] = []
        for (ports, name) in [(tcp, "TCP"), (udp, "UDP")] { taken += ports.filter { !isFree($0, name) }.map { "\(name) \($0)" } }
        if !isFree(.loopback(port: answers.httpPort), "TCP") { taken.append("TCP 127.0.0.1:\(answers.httpPort)") }
        guard !taken.isEmpty else { return .passed("\(tcp.count + 1) of TCP and \(udp.count) of UDP are free") }
        return .failed(
            "taken: \(taken.prefix(5).joined(separator: ", "))\(taken.count > 5 ? " and \(taken.count - 5) more" : "")",
            advice: "'ss -lntup' says who has them: stop that, or choose other ports")
    }

    private func isFree(_ port: Int, _ kind: String) -> Bool {
        var address = SocketAddress.any(.ipv4)
        address.port = port
        return isFree(address, kind)
    }

    private func isFree(_ address: SocketAddress, _ kind: String) -> Bool {
        do {
            if kind == "TCP" { _ = try StreamSocket.listen(on: address) } else { _ = try UDPSocket(binding: address) }
            return true
        } catch {
            return false
        }
    }

    // MARK: The name and its certificate

    /// Takes as long as the system's resolver does, some seconds where no name server answers.
    private func dns() async -> PreflightProbe.Verdict {
        let record = "set the record \(answers.host) to \(answers.addresses.first ?? "this machine's public address")"
        let found: [SocketAddress]
        do {
            found = try await names.find(answers.host, 0)
        } catch {
            return .failed("\(answers.host) has no address: \(error)", advice: "\(record), and wait until it is known")
        }
        let texts = found.map(\.host)
        let wanted = answers.addresses.compactMap { SocketAddress($0, port: 0)?.host }
        let isRight = found.contains { wanted.isEmpty ? isOwn($0) : wanted.contains($0.host) }
        return isRight
            ? .passed("\(answers.host) is \(texts.joined(separator: ", "))")
            : .failed(
                "\(answers.host) is \(texts.joined(separator: ", ")), which is not this machine",
                advice: wanted.isEmpty ? "\(record); behind a NAT name the public address by --address" : record)
    }

    /// Whether an address is this machine's: another one's cannot be bound.
    private func isOwn(_ address: SocketAddress) -> Bool {
        var address = address
        address.port = 0
        do {
            _ = try UDPSocket(binding: address)
            return true
        } catch {
            return false
        }
    }

    /// The directory of the authority that certbot asks by itself. Source: certbot's manual, `--server`.
    private static let acmeDirectory = "https://acme-v02.api.letsencrypt.org/directory"

    private func tls() async -> PreflightProbe.Verdict {
        switch answers.certificate {
        case .own: return .passed("an authority of its own needs nothing")
        case .files: return given()
        case .acme:
            do {
                let status = try await get(answers.acmeDirectory ?? Self.acmeDirectory)
                if status == 200 { return .passed("the public authority answers") }
                return .failed("the public authority answers with \(status)", advice: "try again later, or use --certificate own")
            } catch {
                return .failed("the public authority is not reached: \(error)", advice: "see to the way out, or use --certificate own")
            }
        }
    }

    private func given() -> PreflightProbe.Verdict {
        let (chain, key) = (answers.certificateFile ?? "", answers.keyFile ?? "")
        let isThere = access(chain, R_OK) == 0 && access(key, R_OK) == 0
        // Put in place by an earlier run; where they came from may be gone.
        let files = isThere ? (chain, key) : (machine.place(SitePaths.chain), machine.place(SitePaths.key))
        do {
            let context = try TLSContext.server(certificateFile: files.0, keyFile: files.1)
            var pin: [UInt8]?
            if let file = answers.authorityFile, let pem = try FileWork.read(file) {
                pin = try Certificate(pem: String(decoding: pem, as: UTF8.self)).fingerprint
            }
            if let fault = context.fault(for: ChainDemand(authority: pin, hosts: [answers.host]), at: Int(now())) {
                return .failed("\(chain): \(SitePlan.words(fault))", advice: "name the chain that \(answers.host) is to present")
            }
            let days = (Int64(context.notAfter ?? 0) - now()) / 86_400
            return .passed("\(chain) is good for \(days) days")
        } catch {
            return .failed("\(error)", advice: "name a chain in PEM form, the leaf first, and its key")
        }
    }

    // MARK: What keeps things

    private func database() async -> PreflightProbe.Verdict {
        do {
            return try await scratch { folder in
                let database = try await Database.open(.file("\(folder)/probe.db"))
                try await database.write(.durable) { connection in
                    try connection.run("CREATE TABLE probe (id INTEGER PRIMARY KEY)")
                    try connection.run("INSERT INTO probe (id) VALUES (1)")
                }
                try await database.close()
                return .passed("SQLite keeps a database below \(SitePaths.state)")
            }
        } catch {
            return .failed(
                "no database can be kept: \(error)", advice: "put \(SitePaths.state) on a local disk: a network's has no right locks")
        }
    }

    private func store() -> PreflightProbe.Verdict {
        do {
            let folder = try makeScratch()
            // Nothing but the room it takes is lost where that fails.
            defer { try? FileWork.removeTree(folder) }
            let began = Instant.now
            try FileWork.write([UInt8](repeating: 0x5A, count: 4 << 20), to: "\(folder)/probe", FileWork.own, mode: 0o600)
            return .passed("4 MiB are on the disk after \(Int((Instant.now - began) / .milliseconds(1))) ms")
        } catch {
            return .failed("no file can be kept: \(error)", advice: "see to the disk of \(SitePaths.state)")
        }
    }

    private func scratch(_ body: (String) async throws -> PreflightProbe.Verdict) async throws -> PreflightProbe.Verdict {
        let folder = try makeScratch()
        // Nothing but the room it takes is lost where that fails.
        defer { try? FileWork.removeTree(folder) }
        return try await body(folder)
    }

    /// Where control's state will lie, or the nearest folder above it.
    private func makeScratch() throws -> String {
        let folder = "\(try nearest(SitePaths.state))/.strata-probe-\(Hex.encode(randomBytes(6)))"
        guard mkdir(folder, 0o700) == 0 else { throw SystemError("mkdir", on: folder) }
        return folder
    }

    private func nearest(_ path: String) throws -> String {
        var path = path
        while try FileWork.look(machine.place(path)) == nil, path != "/" { path = UnixSocket.folder(of: path) }
        return machine.place(path)
    }
}
