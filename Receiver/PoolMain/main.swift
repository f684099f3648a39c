import Configuration
import Glibc
import Identity
import Logging
import Pool
import Posix
import Service
import Systemd

// strata-pool --config FILE
// strata-pool enroll --server URL --token-file FILE --config FILE [--name NAME]

let command = CommandLineOptions(CommandLine.arguments.dropFirst(), values: ["--config", "--server", "--token-file", "--name"])
let usage = "usage: strata-pool --config FILE\n       strata-pool enroll --server URL --token-file FILE --config FILE [--name NAME]"
guard let command, let file = command["--config"] else { ProgramContext.exit(64, usage) }

let config = Startup.configuration(file, for: Log("pool")) { text, environment in
    try PoolConfig(text, source: file, environment: environment, program: ProgramContext.executable, version: ProgramContext.version)
}
let log = Log("pool", threshold: config.logLevel)
let loop = try Loop(name: "pool")

switch command.words {
case ["enroll"]:
    guard let server = command["--server"], let tokenFile = command["--token-file"] else { ProgramContext.exit(64, usage) }
    do {
        let enrollment = try Enrollment(
            server: server, tokenFile: tokenFile, stateFolder: config.settings.stateFolder, loop: loop,
            proxy: config.settings.proxy)
        let identity = try await enrollment.redeem(kind: .pool, name: command["--name"] ?? ProgramContext.hostName)
        print("enrolled as \(identity.device) at \(identity.server)")
    } catch {
        ProgramContext.exit(1, "\(error)")
    }
case []:
    let program = RunningProgram(loop: loop, log: log, notify: NotifySocket(environment: ProgramContext.environment))
    do {
        let signals = try Signals(loop: loop)
        guard let identity = try DeviceIdentity.load(state: config.settings.stateFolder) else {
            log.error("this host is not enrolled", ["command": "strata-pool enroll --server URL --token-file FILE --config \(file)"])
            exit(1)
        }
        do throws(ConfigurationFaults) { try config.settings.check(source: file) } catch { Startup.end(with: error, log) }
        _ = try await program.start("pool") {
            try await PoolService(settings: config.settings, identity: identity, loop: loop, log: log)
        } stop: { service in
            await service.stop()
        }
        await program.untilStopped(signals)
    } catch {
        log.error("cannot start", ["error": "\(error)"])
        exit(1)
    }
default: ProgramContext.exit(64, usage)
}
