import Glibc
import Identity
import Logging
import Onboarding
import Panel
import Posix
import Releases
import Service
import Session
import Systemd
import Updating

let usage = """
    usage: strata-agent --config FILE
           strata-agent send FILE
           strata-agent enroll --server URL --token-file FILE --config FILE [--name NAME]
           strata-agent prepare --config FILE [--boot FOLDER] [--root FOLDER] [--owner USER]
           strata-agent status --config FILE [--every SECONDS | --page INTERFACE]
    """

/// The words of the command line: an optional verb, then `--name value` pairs.
struct Arguments {
    enum Verb: String {
        case run = "", enroll, prepare, status

        /// Beside `--config`.
        var options: (needed: Set<String>, more: Set<String>) {
            switch self {
            case .run: ([], [])
            case .enroll: (["--server", "--token-file"], ["--name"])
            case .prepare: ([], ["--boot", "--root", "--owner"])
            case .status: ([], ["--every", "--page"])
            }
        }
    }

    let verb: Verb
    let values: [String: String]
    let interval: Duration?

    /// nil where they cannot be understood.
    init?(_ words: [String]) {
        var rest = words[...]
        let first = rest.first.flatMap { $0.hasPrefix("-") ? nil : $0 } ?? ""
        guard let verb = Verb(rawValue: first) else { return nil }
        if !first.isEmpty { rest.removeFirst() }
        let needed = verb.options.needed.union(["--config"])
        var values: [String: String] = [:]
        while let name = rest.popFirst() {
            guard needed.union(verb.options.more).contains(name), values[name] == nil, let value = rest.popFirst() else { return nil }
            values[name] = value
        }
        guard needed.isSubset(of: values.keys) else { return nil }
        interval = values["--every"].flatMap { Int($0) }.flatMap { (1...3600).contains($0) ? Duration.seconds($0) : nil }
        guard interval != nil || values["--every"] == nil, values["--every"] == nil || values["--page"] == nil else { return nil }
        self.verb = verb
        self.values = values
    }

    func value(_ name: String) -> String { values[name] ?? "" }
}

@Sendable func enroll(_ arguments: Arguments, _ configuration: AgentConfiguration) async throws {
    let loop = try Loop(name: "enroll")
    defer { loop.stop() }
    let enrollment = try Enrollment(
        server: arguments.value("--server"), tokenFile: arguments.value("--token-file"), stateFolder: configuration.stateFolder, loop: loop,
        proxy: configuration.session.proxy)
    let (runtime, state) = (configuration.runtimeFolder, configuration.stateFolder)
    let identity = try await enrollment.redeem(kind: .sender, name: arguments.values["--name"] ?? ProgramContext.hostName) {
        try FormerOwner.forget(runtime: runtime, state: state)
    }
    print("enrolled at \(identity.server) as \(identity.name) (\(identity.device))")
}

/// `prepare`: what the boot partition has for this board, by root.
func prepare(_ arguments: Arguments, _ configuration: AgentConfiguration, _ log: Log) throws -> CInt {
    var owner: FileOwner?
    if let name = arguments.values["--owner"] {
        guard let found = FileOwner(named: name) else {
            log.error("this machine has no such user", ["user": .text(name)])
            return 1
        }
        owner = found
    }
    let preparation = BoardPreparation(
        folders: arguments.values["--boot"].map { [$0] } ?? BoardPreparation.usualFolders, state: configuration.stateFolder,
        root: arguments.value("--root"), owner: owner)
    switch try preparation.run() {
    case .nothing: return 0
    case .taken(let server, let notes):
        log.notice("the board's file was taken", ["server": .text(server)])
        for note in notes { log.warning("not all of the board's file could be done", ["reason": .text(note)]) }
        return 0
    case .refused(let reason):
        log.error("the board's file was not taken", ["reason": .text(reason)])
        return 1
    }
}

/// `status`: the board as it is, once or again and again.
@Sendable func show(_ configuration: AgentConfiguration, every interval: Duration?) async throws -> CInt {
    let file = StatusFile(in: configuration.runtimeFolder)
    guard let interval else {
        let page = StatusPage(file.read(), at: .now)
        print(page.lines.joined(separator: "\n"))
        return page.isWell ? 0 : 1
    }
    let loop = try Loop(name: "status")
    while true {
        // ECMA-48: the cursor goes to the corner, and the screen is cleared.
        let text = "\u{1B}[H\u{1B}[2J" + StatusPage(file.read(), at: .now).lines.joined(separator: "\r\n") + "\r\n"
        guard writeStandardOutput(Array(text.utf8)) else { return 1 }
        try await loop.sleep(for: interval)
    }
}

/// `status --page`: the same for a browser, on one interface.
@Sendable func serve(_ configuration: AgentConfiguration, on interface: String, _ log: Log) async throws {
    let loop = try Loop(name: "main")
    let signals = try Signals(loop: loop)
    let program = RunningProgram(loop: loop, log: log, notify: NotifySocket(environment: ProgramContext.environment))
    _ = try await program.start(
        "page",
        {
            let site = StatusSite(on: interface, StatusFile(in: configuration.runtimeFolder), loop: loop)
            let port = try await site.start()
            log.notice("listening", ["interface": .text(interface), "port": .integer(port)])
            return site
        }, stop: { await $0.stop() })
    await program.untilStopped(signals)
}

@Sendable func run(_ configuration: AgentConfiguration, _ log: Log) async throws {
    let loop = try Loop(name: "main")
    let signals = try Signals(loop: loop)
    let program = RunningProgram(loop: loop, log: log, notify: NotifySocket(environment: ProgramContext.environment))
    _ = try await program.start(
        "agent",
        {
            let board = BoardStart(configuration, log: log) { error in
                log.error("cannot start", ["error": "\(error)"])
                exit(1)
            }
            try await board.start()
            return board
        }, stop: { await $0.stop() })
    await program.untilStopped(signals)
}

/// `send FILE`: a bonded sender by itself.
@Sendable func send(_ configuration: SendConfiguration, _ log: Log) async throws {
    let loop = try Loop(name: "main")
    let signals = try Signals(loop: loop)
    let program = RunningProgram(loop: loop, log: log, notify: NotifySocket(environment: ProgramContext.environment))
    _ = try await program.start("sender", { try StandaloneSender(configuration, log: log) }, stop: { $0.stop() })
    await program.untilStopped(signals)
}

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "send" {
    shareFreeMemory()
    let file = CommandLine.arguments[2]
    let log = Log("agent", threshold: .notice)
    let configuration = Startup.configuration(file, for: log) { text, environment in
        try SendConfiguration(text, source: file, environment: environment)
    }
    do {
        try await send(configuration, log)
        exit(0)
    } catch {
        log.error("cannot start", ["error": "\(error)"])
        exit(1)
    }
}
guard let arguments = Arguments(Array(CommandLine.arguments.dropFirst())) else {
    print(usage)
    exit(64)
}
shareFreeMemory()
let file = arguments.value("--config")
let version = ReleaseHome.version(of: ProgramContext.executable).map(\.description) ?? ProgramContext.version
let configuration = Startup.configuration(file, for: Log("agent")) { text, environment in
    try AgentConfiguration(text, source: file, environment: environment, version: version)
}
let log = Log("agent", threshold: configuration.logLevel)
do {
    switch arguments.verb {
    case .enroll: try await enroll(arguments, configuration)
    case .prepare: exit(try prepare(arguments, configuration, log))
    case .status:
        if let interface = arguments.values["--page"] {
            try await serve(configuration, on: interface, log)
        } else {
            exit(try await show(configuration, every: arguments.interval))
        }
    case .run: try await run(configuration, log)
    }
} catch {
    log.error("cannot start", ["error": "\(error)"])
    exit(1)
}
