import Glibc
import Logging
import Posix
import Service
import Systemd
import Updater

// strata-updater --config FILE

let command = CommandLineOptions(CommandLine.arguments.dropFirst(), values: ["--config"])
guard let command, command.words.isEmpty, let file = command["--config"] else {
    ProgramContext.exit(64, "usage: strata-updater --config FILE")
}
let configuration = Startup.configuration(file, for: Log("updater")) { text, environment in
    try UpdaterConfiguration(text, source: file, environment: environment)
}
let log = Log("updater", threshold: configuration.logLevel)
do {
    let (loop, network) = (try Loop(name: "updater"), try Loop(name: "network"))
    let signals = try Signals(loop: network)
    let program = RunningProgram(loop: network, log: log, notify: NotifySocket(environment: ProgramContext.environment))
    _ = try await program.start("updater") {
        let updater = try BoardUpdater(configuration, loop: loop, network: network, version: ProgramContext.version, log: log)
        await updater.begin()
        return updater
    } stop: { updater in
        await updater.end()
    }
    await program.untilStopped(signals)
} catch {
    log.error("cannot start", ["error": "\(error)"])
    exit(1)
}
