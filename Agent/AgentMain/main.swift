import Glibc
import Identity
import Logging
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
    """

/// The words of the command line: an optional verb, then `--name value` pairs.
struct Arguments {
    let isEnrollment: Bool
    let values: [String: String]

    /// nil where they cannot be understood.
    init?(_ words: [String]) {
        var rest = words[...]
        isEnrollment = rest.first == "enroll"
        if isEnrollment { rest.removeFirst() }
        let known: Set<String> = isEnrollment ? ["--server", "--token-file", "--config", "--name"] : ["--config"]
        let needed: Set<String> = isEnrollment ? ["--server", "--token-file", "--config"] : ["--config"]
        var values: [String: String] = [:]
        while let name = rest.popFirst() {
            guard known.contains(name), values[name] == nil, let value = rest.popFirst() else { return nil }
            values[name] = value
        }
        guard needed.isSubset(of: values.keys) else { return nil }
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
    let identity = try await enrollment.redeem(kind: .sender, name: arguments.values["--name"] ?? ProgramContext.hostName)
    print("enrolled at \(identity.server) as \(identity.name) (\(identity.device))")
}

@Sendable func run(_ configuration: AgentConfiguration, _ log: Log) async throws {
    let loop = try Loop(name: "main")
    let signals = try Signals(loop: loop)
    guard let identity = try DeviceIdentity.load(state: configuration.stateFolder) else {
        throw IdentityError.state(file: configuration.stateFolder, reason: "this machine is not enrolled; run strata-agent enroll")
    }
    let program = RunningProgram(loop: loop, log: log, notify: NotifySocket(environment: ProgramContext.environment))
    _ = try await program.start(
        "agent",
        {
            let agent = try Agent(settings: configuration.session, identity: identity, log: log)
            await agent.start()
            return agent
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
    if arguments.isEnrollment {
        try await enroll(arguments, configuration)
    } else {
        try await run(configuration, log)
    }
} catch {
    log.error("cannot start", ["error": "\(error)"])
    exit(1)
}
