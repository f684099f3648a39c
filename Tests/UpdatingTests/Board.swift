import Crypto
import Posix
import Releases
import Testing
import Units

@testable import Updating

/// What a program does once it is started; its file's first words.
enum Program: String, CaseIterable, Sendable {
    case good
    /// Ends at once.
    case crashing
    /// Is started again and again, and works for 20 s each time.
    case halting
    /// Never reaches control.
    case deaf
    /// Does not find one of its links.
    case blind
}

/// A release that boards are offered, and the one that they have.
struct Factory {
    static let root = "/board"
    static let now = ReleaseTime(clock: 1_795_392_000, floor: 0)
    static let old = ReleaseVersion(1, 3, 0)
    static let new = ReleaseVersion(1, 4, 0)

    let trust: ReleaseTrust
    let machine: MachineClass
    private let daily: Ed25519PrivateKey

    init() throws {
        let root = try Ed25519PrivateKey(seed: [UInt8](repeating: 1, count: 32))
        daily = try Ed25519PrivateKey(seed: [UInt8](repeating: 2, count: 32))
        let keys = try KeyList(number: 1, roots: [root.publicKey], releases: [.init(key: daily.publicKey, end: 1_900_000_000)])
        trust = try ReleaseTrust(shipped: try SignedText(keys.bytes, by: [root]))
        machine = try #require(MachineClass("arm64"))
    }

    /// Files by their paths. The program has three parts of 16 KiB.
    func contents(_ program: Program, _ version: ReleaseVersion) -> [String: [UInt8]] {
        [
            "bin/strata-agent": Array("\(program.rawValue) \(version) ".utf8) + [UInt8](repeating: UInt8(version.minor), count: 40_000),
            "share/README.md": Array("Version \(version).".utf8), "empty": [],
        ]
    }

    func manifest(_ program: Program, _ version: ReleaseVersion, sequence: Int64 = 17) throws -> ReleaseManifest {
        let files = try contents(program, version).map { path, bytes in
            try #require(
                ReleaseFile(
                    product: .agent, machine: machine, isExecutable: path.hasPrefix("bin/"), size: bytes.count, digest: SHA256.hash(bytes),
                    path: path))
        }
        return try ReleaseManifest(
            version: version, sequence: sequence, channel: .stable, released: 1_795_000_000, expires: 1_800_000_000,
            minimum: ReleaseVersion(1, 0, 0), files: files)
    }

    func signed(_ manifest: ReleaseManifest) throws -> SignedText { try SignedText(manifest.bytes, by: [daily]) }
}

/// A board with its updater, its agent and its disk, in a time of its own.
struct Board {
    let factory: Factory
    let disk: PowerDisk
    let folder: SlotFolder
    private(set) var machine: UpdateMachine
    private(set) var now = Instant(nanoseconds: 0)
    /// What the service runs: its words and since when.
    private(set) var running: (program: Program, version: ReleaseVersion, since: Instant)?
    var isBroadcasting = false
    /// What control hands out, by digest.
    var served: [[UInt8]: [UInt8]] = [:]
    /// Asked for in bytes, as long as the line is up.
    var isLineUp = true
    private(set) var fetched = 0
    /// Parts that were asked for, whether they came or not.
    private(set) var asked = 0
    private(set) var restarts = 0
    /// The step, the first being 0, that is not carried out, and what is said of it.
    var failing: (step: Int, outcome: UpdateStep.Outcome)?
    /// Steps that were named, but for waiting.
    private(set) var steps = 0
    private var spokenAt: Instant?

    init(_ factory: Factory, cap: Bitrate? = .kilobits(100)) throws {
        self.factory = factory
        disk = PowerDisk()
        folder = SlotFolder(Factory.root, on: disk, product: .agent, machine: factory.machine)
        let slot = Factory.root + "/slots/a"
        for path in [Factory.root, Factory.root + "/slots", slot, slot + "/bin", slot + "/share"] { try disk.change(.makeFolder(path)) }
        for (path, bytes) in factory.contents(.good, Factory.old) {
            try disk.change(.append(bytes, to: "\(slot)/\(path)"))
            try disk.change(.setMode(path.hasPrefix("bin/") ? 0o755 : 0o644, of: "\(slot)/\(path)"))
        }
        try disk.change(.append(try factory.manifest(.good, Factory.old, sequence: 16).bytes, to: slot + "/.release"))
        try disk.change(.makeLink(Factory.root + "/current", to: "slots/a"))
        try folder.prepare()
        disk.syncAll()
        machine = Self.updater(factory, UpdateJournal(active: .a, installed: Factory.old), .a, cap, at: now)
        try start()
    }

    private static func updater(
        _ factory: Factory, _ journal: UpdateJournal, _ linked: Slot?, _ cap: Bitrate?, at now: Instant
    ) -> UpdateMachine {
        UpdateMachine(
            journal, linked: linked, trust: factory.trust,
            settings: UpdateSettings(product: .agent, machine: factory.machine, channel: .stable), pace: FetchPace(cap: cap), at: now)
    }

    mutating func offer(_ manifest: ReleaseManifest, _ urgency: Urgency = .whenIdle) throws {
        try machine.offer(try factory.signed(manifest), urgency, at: Factory.now)
    }

    mutating func offer(_ program: Program, _ urgency: Urgency = .whenIdle) throws {
        for bytes in factory.contents(program, Factory.new).values { served[SHA256.hash(bytes)] = bytes }
        try offer(try factory.manifest(program, Factory.new), urgency)
    }

    mutating func goBack(_ urgency: Urgency = .whenIdle) { machine.goBack(urgency) }
    mutating func withdraw() { machine.withdraw() }

    /// The updater is started again; with the whole board, where power was lost.
    mutating func boot(withAgent: Bool) throws {
        disk.begin()
        let linked = try folder.linked()
        let journal = try folder.journal() ?? UpdateJournal(active: try #require(linked), installed: Factory.old)
        try folder.prepare()
        machine = Self.updater(factory, journal, linked, machine.pace.cap, at: now)
        if withAgent { try start() }
    }

    /// Lets time pass until nothing is to be done, or the program has died, or so long.
    mutating func run(for limit: Duration = .seconds(7200)) throws {
        let end = now + limit
        while now < end, !disk.isDead {
            let step = machine.next(at: now)
            if case .wait(let until) = step {
                if until == nil, machine.journal.phase == .idle { return }
                now = min(until ?? end, now + .seconds(5))
                try speak()
                machine.finished(.done, jitter: 0, at: now)
                continue
            }
            let outcome: UpdateStep.Outcome
            if let failing, failing.step == steps { outcome = failing.outcome } else { outcome = try carryOut(step) }
            steps += 1
            guard !disk.isDead else { return }
            now = now + .milliseconds(10)
            machine.finished(outcome, jitter: 0, at: now)
        }
    }

    private mutating func carryOut(_ step: UpdateStep) throws -> UpdateStep.Outcome {
        switch step {
        case .restart:
            restarts += 1
            try start()
            return .done
        case .fetch(let file, let slot, let range):
            asked += 1
            guard isLineUp else { return .unreachable("no route to host") }
            guard let bytes = served[file.digest] else { return .gone }
            fetched += range.count
            return folder.append(Array(bytes[range]), to: file, in: slot)
        default: return try #require(folder.carryOut(step))
        }
    }

    /// The service starts what the link points to.
    private mutating func start() throws {
        let slot = try #require(try folder.linked())
        let bytes = try disk.read("\(Factory.root)/slots/\(slot.rawValue)/bin/strata-agent", 0..<64)
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        running = (try #require(Program(rawValue: String(words[0]))), try #require(ReleaseVersion(String(words[1]))), now)
    }

    /// The agent reports each 5 s.
    private mutating func speak() throws {
        guard let running, spokenAt.map({ now - $0 >= .seconds(5) }) ?? true, running.program != .crashing else { return }
        spokenAt = now
        let age = (now - running.since).components.seconds
        let report = AgentReport(
            version: running.version, process: UInt64(running.program == .halting ? age / 20 : 0), isBroadcasting: isBroadcasting,
            isControlReached: running.program != .deaf, openInputs: ["camera"],
            liveLinks: running.program == .blind ? ["eth0"] : ["eth0", "wwan0"])
        machine.report(report, at: now)
    }

    /// The version that the link points to, if every file of it is what it should be.
    func linkedVersion() throws -> ReleaseVersion? {
        guard let slot = try folder.linked() else { return nil }
        let path = "\(Factory.root)/slots/\(slot.rawValue)"
        guard case .file(let bytes, _)? = try disk.look(path + "/.release") else { return nil }
        let manifest = try ReleaseManifest(bytes: try disk.read(path + "/.release", 0..<bytes))
        return folder.carryOut(.inspect(slot, digest: nil)) == .done ? manifest.version : nil
    }
}
