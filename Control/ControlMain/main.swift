import API
import Alerts
import Auth
import Blobs
import Broadcasts
import Crypto
import Fleet
import FoundationEssentials
import Glibc
import Identity
import Logging
import Lookout
import Mail
import Posix
import Recordings
import Reporting
import Rooms
import S3
import SelfUpdate
import Service
import Store
import Systemd
import Tracing
import Units
import Web
import Webhooks

let usage = """
    usage: strata-control --config FILE
           strata-control backup --config FILE
           strata-control copy --config FILE --copy NAME
           strata-control restore --config FILE [--copy NAME]
           strata-control restore --config FILE --backup FILE --key FILE
           strata-control rotate-keys --config FILE
           strata-control password-link --config FILE --organization SLUG --email ADDRESS
           strata-control watch --config FILE
    """

/// The first run's secret, and the message that says where it lies.
@Sendable func openSetup(_ store: ControlStore, _ folder: StateFolder, _ log: Log) async throws {
    guard try await store.setup.isOpen() else { return folder.removeSetupSecret() }
    try await store.setup.issue(folder.setupSecret())
    log.notice("nobody owns this server yet: register with the setup secret", ["file": "\(folder.setupSecretFile)"])
}

/// What the start found of the database, and did.
@Sendable func tell(_ opening: Opening, _ log: Log) {
    if opening.leftLogBytes > 0 {
        log.notice(
            "the last run did not close its database: what it had committed is taken from the log",
            ["log_bytes": .integer(opening.leftLogBytes)])
    }
    switch (opening.upgradedFrom, opening.copy) {
    case (nil, _): break
    case (0?, _): log.notice("a new database was made")
    case (let version?, let copy): log.notice("the database was upgraded", ["from": .integer(version), "copy": "\(copy ?? "none")"])
    }
}

/// A run that was cut off may have been cut off by what damages files as well: a machine that fell over, a disk that fails.
@Sendable func inspect(_ store: ControlStore, _ log: Log) async {
    let began = Instant.now
    do {
        if let fault = try await store.inspect() {
            log.error(
                "the database is damaged: put a backup in its place, or a copy from before an upgrade, by 'strata-control restore'",
                ["fault": "\(fault)"])
        } else {
            log.notice("the database was checked and is whole", ["ms": .integer(Int((Instant.now - began) / .milliseconds(1)))])
        }
    } catch {
        log.error("the database could not be checked", ["error": "\(error)"])
    }
}

/// The certificate of the server's own authority.
@Sendable func authority(_ file: String?) throws -> Certificate? {
    guard let file else { return nil }
    let pem = try ProgramContext.readText(file)
    do {
        return try Certificate(pem: pem)
    } catch {
        throw CryptoError.file(path: file, reason: "\(error)")
    }
}

/// The way to whatever people and peers name: one for all, so that an organisation's names count together, whatever they are for.
struct Outward: Sendable {
    let outbound: OutboundGuard
    let lookups: Lookups
    let loop: Loop

    init(_ configuration: ControlConfiguration) throws {
        outbound = OutboundGuard(allowing: configuration.outbound)
        lookups = Lookups(outbound)
        loop = try Loop(name: "outward")
    }
}

/// What errors and traces say of this installation.
@Sendable func deployment(_ configuration: ControlConfiguration, _ store: ControlStore) async throws -> Deployment {
    Deployment(
        id: Hex.encode(try await store.operations.key("deployment", bytes: 16)), version: ProgramContext.version,
        environment: configuration.environment)
}

/// Follows a share of requests and jobs, where there is a collector for it.
@Sendable func traces(
    _ configuration: ControlConfiguration, _ deployment: Deployment, _ outward: Outward, _ log: Log
) -> Gateway.Traces? {
    configuration.collector.map { endpoint in
        let tracer = Tracer(share: configuration.traceShare)
        return Gateway.Traces(
            tracer: tracer, exporter: SpanExporter(tracer, to: endpoint, of: deployment, loop: outward.loop, log: log))
    }
}

/// Tells trackers of errors, the installation's own one as it is set.
@Sendable func reporter(
    _ configuration: ControlConfiguration, _ deployment: Deployment, _ store: ControlStore, _ outward: Outward, _ log: Log
) async throws -> Reporter {
    let reporter = Reporter(
        deployment, vendor: configuration.vendor, lookups: outward.lookups, outbound: outward.outbound, loop: outward.loop, log: log)
    reporter.direct(to: try await store.errorTracking.find().flatMap { DSN($0.revealed) })
    return reporter
}

/// Says of the run before that it did not come to its end, where it did not. What cannot be written down keeps nobody from starting.
@Sendable func begin(_ mark: RunMark, _ reporter: Reporter, _ log: Log) {
    do {
        guard let before = try mark.begin(version: ProgramContext.version) else { return }
        log.warning("the run before ended without a word: it crashed, was killed, or lost its power", ["run": "\(before)"])
        reporter.report(
            ErrorEvent(
                at: unixMilliseconds(), .fatal, component: "control", message: "the run before ended without a word", detail: before))
    } catch {
        log.warning("how this run ends will not be known to the next", ["error": "\(error)"])
    }
}

/// The bucket of `[blobs]`; nil where blobs lie on this machine's disk.
@Sendable func bucket(_ configuration: ControlConfiguration, _ outward: Outward) -> S3Store? {
    configuration.bucket.map { settings in
        S3Store(S3Client(settings, outbound: outward.outbound, loop: outward.loop)) { unixMilliseconds() / 1000 }
    }
}

/// Says at the start what keeps the bucket of `[blobs]` from being used: whoever has set it up is still there then.
@Sendable func lookAtBucket(_ configuration: ControlConfiguration, _ outward: Outward, _ log: Log) async {
    guard let settings = configuration.bucket, let store = bucket(configuration, outward) else { return }
    do {
        try await store.check()
        log.notice("the bucket of blobs can be read", ["bucket": "\(settings)"])
    } catch is CancellationError {
        // The program ends.
    } catch {
        log.error("the bucket of blobs cannot be used", ["bucket": "\(settings)", "error": "\(error)"])
    }
}

/// Says that coturn does not take what comes for it on the port of HTTPS, once a minute at most.
@Sendable func complaint(in log: Log) -> @Sendable (any Error) -> Void {
    let last = Guarded<Instant?>(nil)
    return { error in
        let isDue = last.withLock { last -> Bool in
            let now = Instant.now
            if let before = last, now - before < .seconds(60) { return false }
            last = now
            return true
        }
        guard isDue else { return }
        log.warning("TURN by TLS is not taken: guests who have TCP 443 alone do not come into rooms", ["error": "\(error)"])
    }
}

/// The desk of this server's own updates.
@Sendable func updates(_ configuration: ControlConfiguration, _ folder: StateFolder, _ outward: Outward, _ log: Log) -> UpdateDesk {
    let source = configuration.updates
    let feed = source.url.map { url in
        ReleaseFeed(
            url, lookups: outward.lookups, outbound: outward.outbound, loop: outward.loop, version: ProgramContext.version)
    }
    return UpdateDesk(
        source, shelf: folder.releases, order: folder.updateOrder, version: ProgramContext.version, feed: feed, log: log,
        now: unixMilliseconds)
}

@Sendable func parts(
    _ configuration: ControlConfiguration, _ folder: StateFolder, _ store: ControlStore, _ authority: Certificate?,
    _ certificates: CertificateWatch, _ outward: Outward, _ blobLoop: Loop, _ reporter: Reporter, _ traces: Gateway.Traces?, _ log: Log
) async throws -> Gateway.Parts {
    let feed = Feed()
    let fleet = Roster(store: store, feed: feed, log: log)
    try await fleet.recall()
    let hasher = PasswordHasher()
    // The configuration has at least one origin.
    let links = AccountLinks(origin: configuration.origins[0].text)
    let letters = configuration.mail.map { _ in Letters(links) }
    let postman = configuration.mail.map { Postman(store, $0, log: log) }
    let passes = RoomPasses(key: try await store.operations.key("room passes"))
    let broadcasts = BroadcastDirector(
        store: store, fleet: fleet, feed: feed, lookups: outward.lookups, rooms: configuration.rooms.workers > 0 ? passes.maker : nil,
        place: configuration.bucket == nil ? .disk : .bucket, log: log)
    let signer = BlobSigner(key: try await store.operations.key("blob addresses"))
    let blobs = BlobStore(folder.blobs, signer: signer, on: blobLoop)
    return Gateway.Parts(
        store: store, gate: try await Gate.open(store, hasher: hasher, letters: letters, limits: configuration.limits), hasher: hasher,
        fleet: fleet,
        feed: feed,
        broadcasts: broadcasts, rooms: try RoomDesk(configuration.rooms, log: log),
        passes: passes,
        alerts: AlertDesk(store: store, broadcasts: broadcasts, letters: letters, log: log),
        devices: DeviceDoor(
            store: store, fleet: fleet, origins: configuration.origins, binding: configuration.endsTLSAtProxy ? .origin : .exporter,
            log: log),
        health: Health(store: store, stateFolder: folder.path, certificates: certificates, postman: postman), postman: postman,
        courier: Courier(
            store, lookups: outward.lookups, outbound: outward.outbound, loop: outward.loop, version: ProgramContext.version,
            tracer: traces?.tracer, log: log),
        blobs: blobs, recordings: RecordingDesk(store: store, fleet: fleet, disk: blobs, bucket: bucket(configuration, outward), log: log),
        signer: signer, reporter: reporter,
        home: HomeLine(lookups: outward.lookups, outbound: outward.outbound, loop: outward.loop, version: ProgramContext.version),
        updates: updates(configuration, folder, outward, log), traces: traces,
        settings: Gateway.Settings(
            operatorToken: try folder.operatorToken(), authority: authority.map { .pinned(sha256: $0.fingerprint) } ?? .system,
            origins: configuration.origins.map(\.text), links: links, stateFolder: folder, dashboard: configuration.dashboard,
            retention: configuration.retention, guests: configuration.guests, vendor: configuration.vendor,
            bucketOrigin: configuration.bucket.map { $0.origin }, version: ProgramContext.version),
        log: log)
}

@Sendable func run(_ configuration: ControlConfiguration, _ log: Log) async throws {
    let loop = try Loop(name: "main")
    let signals = try Signals(loop: loop)
    let program = RunningProgram(loop: loop, log: log, notify: NotifySocket(environment: ProgramContext.environment))
    let folder = try StateFolder(configuration.stateFolder)
    let lock = try FolderLock(folder.path)
    defer { lock.release() }
    let store = try await program.start(
        "store",
        {
            try await ControlStore.open(
                .file(folder.database), keyring: folder.keyring(), platformVersion: ProgramContext.version, quotas: configuration.quotas)
        },
        stop: { store in
            do { try await store.close() } catch { log.error("the database did not close", ["error": "\(error)"]) }
        })
    tell(store.opening, log)
    try await openSetup(store, folder, log)
    let outward = try Outward(configuration)
    let deployment = try await deployment(configuration, store)
    let reporter = try await reporter(configuration, deployment, store, outward, log)
    let heard = log.heard { reporter.hear($0) }
    let own = try authority(configuration.authorityFile)
    let certificates = try await program.start(
        "certificates",
        {
            CertificateWatch(
                authority: own.map { Int($0.notAfter) }, storeKey: configuration.bucketKeyEnd.map { Int($0.unixSeconds) },
                demand: configuration.chainDemand(authority: own),
                keys: Set(configuration.server.listeners.compactMap { $0.certificate?.key }).sorted(), log: heard)
        },
        stop: { await $0.stop() })
    let parts = try await parts(
        configuration, folder, store, own, certificates, outward, Loop(name: "blobs"), reporter,
        traces(configuration, deployment, outward, log), heard)
    // Ends after the broadcasts do: what happened to them last is stored too.
    _ = try await program.start(
        "flight records", { Task { await parts.storeFlightRecords() } },
        stop: { task in
            task.cancel()
            await task.value
        })
    await parts.begin()
    _ = try await program.start("broadcasts", { Task { try await parts.run() } }, stop: { $0.cancel() })
    let loops = try (0..<configuration.loops).map { try Loop(name: "web\($0)") }
    let api = Gateway(parts)
    let server = try await program.start(
        "web",
        {
            var web = configuration.server
            web.passageLost = complaint(in: heard)
            let server = Server(configuration: web, loops: loops) { request in await api.answer(request) }
            let addresses = try await server.start()
            heard.notice(
                "listening",
                ["addresses": "\(addresses.map(\.description).joined(separator: " "))", "version": "\(ProgramContext.version)"])
            return server
        }, stop: { await $0.shutdown(grace: .seconds(5)) })
    await certificates.begin(server)
    if store.opening.leftLogBytes > 0 {
        // No start waits for it, and an end 5 s at most: that long the last checkpoint waits for whoever reads.
        _ = try await program.start("inspection", { Task { await inspect(store, log) } }, stop: { $0.cancel() })
    }
    _ = try await program.start("bucket", { Task { await lookAtBucket(configuration, outward, log) } }, stop: { $0.cancel() })
    let mark = RunMark(folder)
    begin(mark, reporter, log)
    await program.untilStopped(signals) { await certificates.reload(server) }
    mark.end()
}

/// Lists the safety copies, or puts one in the place of the database.
@Sendable func restore(_ name: String?, _ configuration: ControlConfiguration) async throws {
    let folder = try StateFolder(configuration.stateFolder)
    let lock = try FolderLock(folder.path)
    defer { lock.release() }
    let copies = SafetyCopies(of: folder.database)
    guard let name else {
        let all = try copies.all()
        for copy in all { print("\(copy.name)  \(copy.madeAt.text)") }
        if all.isEmpty {
            print("there are no copies in \(folder.path): an upgrade and a restore make one; for a backup use --backup FILE --key FILE")
        }
        return
    }
    let aside = try await copies.restore(name, at: .now)
    print("restored \(name)" + (aside.map { "; what was there before is \($0)" } ?? ""))
}

/// Copies the database beside itself, while control runs or not: before the server is updated.
@Sendable func copy(_ name: String, _ configuration: ControlConfiguration) async throws {
    try await SafetyCopies(of: try StateFolder(configuration.stateFolder).database).make(name)
    print("copied as \(name)")
}

/// Makes a backup in the configured folder, while control runs or not.
@Sendable func backUp(_ configuration: ControlConfiguration) async throws {
    guard let backups = configuration.backups else { throw Backups.Failure.noRecipient }
    let folder = try StateFolder(configuration.stateFolder)
    let made = try await backups.make(
        of: folder.database, with: folder.blobs, keys: try masterKeys(folder),
        certificate: try ProgramContext.readText(backups.recipient), at: .now)
    print("\(made.path)  \(made.bytes) bytes" + (made.removed > 0 ? "; \(made.removed) older than \(backups.keepDays) days are gone" : ""))
}

/// Puts a backup in the place of the database, on this machine or on one that never ran control.
@Sendable func restore(backup: String, key: String, _ configuration: ControlConfiguration) async throws {
    let folder = try StateFolder(configuration.stateFolder)
    let lock = try FolderLock(folder.path)
    defer { lock.release() }
    let restored = try await Backups.restore(
        backup, to: folder.database, and: folder.blobs, keys: try masterKeys(folder),
        key: (pem: try ProgramContext.readText(key), file: key), at: .now)
    print("restored what was backed up at \(restored.madeAt.text)" + (restored.aside.map { "; what was there before is \($0)" } ?? ""))
}

/// The key ring as it is: one that is made now would open nothing.
@Sendable func masterKeys(_ folder: StateFolder) throws -> Keyring {
    guard let text = try KeyFile.read(folder.masterKeyFile) else { throw Backups.Failure.noMasterKey(folder.masterKeyFile) }
    return try Keyring(text: text)
}

/// Replaces the master key, and seals every stored secret again.
@Sendable func rotateKeys(_ configuration: ControlConfiguration) async throws {
    let folder = try StateFolder(configuration.stateFolder)
    let lock = try FolderLock(folder.path)
    defer { lock.release() }
    let rotation = KeyRotation(keyFile: folder.masterKeyFile, database: folder.database)
    let outcome = try await rotation.run(platformVersion: ProgramContext.version)
    print("\(outcome.sealed) secrets are sealed under a new key; back \(folder.masterKeyFile) up")
    if configuration.backups != nil { print("backups from before need the master.key of their time: keep it beside this one") }
    if outcome.keptKeys > 0 { print("\(outcome.keptKeys) older keys stay, for the copies of the database from before an upgrade") }
}

/// Prints a link by which a user of any role gets a new password, while control runs or not.
@Sendable func passwordLink(_ email: String, _ slug: String, _ configuration: ControlConfiguration) async throws {
    let folder = try StateFolder(configuration.stateFolder)
    let store = try await ControlStore.join(
        folder.database, keyring: try masterKeys(folder), platformVersion: ProgramContext.version)
    let made = try await PasswordLink.make(
        for: email, in: slug, links: AccountLinks(origin: configuration.origins[0].text), by: store)
    try await store.close()
    print(made.link.revealed)
    let whose = "\(made.user.email), \(made.user.role.rawValue) of '\(made.organizationName)'"
    print("for \(whose): good for an hour and once; a new password by it ends all their sessions")
}

/// Looks once at the control of another host.
@Sendable func watch(_ file: String) async -> Never {
    let log = Log("watch")
    let configuration = Startup.configuration(file, for: log) { text, environment in
        try WatchConfiguration(text, source: file, environment: environment)
    }
    do {
        try await OutsideWatch(configuration, loop: Loop(name: "watch"), log: log).look()
        exit(0)
    } catch {
        log.error("not done", ["error": "\(error)"])
        exit(1)
    }
}

let options = CommandLineOptions(
    CommandLine.arguments.dropFirst(), values: ["--config", "--copy", "--backup", "--key", "--organization", "--email"])
let commands: [[String]] = [[], ["backup"], ["copy"], ["restore"], ["rotate-keys"], ["password-link"], ["watch"]]
guard let options, let file = options["--config"], commands.contains(options.words),
    options.words == ["restore"] || ["--backup", "--key"].allSatisfy({ options[$0] == nil }),
    [["restore"], ["copy"]].contains(options.words) || options["--copy"] == nil, options.words != ["copy"] || options["--copy"] != nil,
    (options["--backup"] == nil) == (options["--key"] == nil), options["--copy"] == nil || options["--backup"] == nil,
    ["--organization", "--email"].allSatisfy({ (options[$0] != nil) == (options.words == ["password-link"]) })
else { ProgramContext.exit(64, usage) }
if options.words == ["watch"] { await watch(file) }
let configuration = Startup.configuration(file, for: Log("control")) { text, environment in
    try ControlConfiguration(text, source: file, environment: environment)
}
let log = Log("control", threshold: configuration.logLevel)
do {
    switch options.words.first {
    case "backup": try await backUp(configuration)
    case "copy": try await copy(options["--copy"] ?? "", configuration)
    case "restore":
        if let backup = options["--backup"], let key = options["--key"] {
            try await restore(backup: backup, key: key, configuration)
        } else {
            try await restore(options["--copy"], configuration)
        }
    case "rotate-keys": try await rotateKeys(configuration)
    case "password-link": try await passwordLink(options["--email"] ?? "", options["--organization"] ?? "", configuration)
    default: try await run(configuration, log)
    }
} catch {
    log.error(options.words.isEmpty ? "cannot start" : "not done", ["error": "\(error)"])
    exit(1)
}
