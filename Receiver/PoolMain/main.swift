import Glibc
import Identity
import Logging
import Pool
import Posix
import Service
import Systemd

// strata-pool --config FILE
// strata-pool enroll --server URL --token-file FILE --config FILE [--name NAME]

let version = "0.1"
let command = CommandLineOptions(CommandLine.arguments.dropFirst(), values: ["--config", "--server", "--token-file", "--name"])
let usage = "usage: strata-pool --config FILE\n       strata-pool enroll --server URL --token-file FILE --config FILE [--name NAME]"
guard let command, let file = command["--config"] else { ProgramContext.exit(64, usage) }

let environment = ProgramContext.environment
let config: PoolConfig
do {
    config = try PoolConfig(
        ProgramContext.readText(file), source: file, environment: environment, program: ProgramContext.executable, version: version)
} catch {
    ProgramContext.exit(78, "\(error)")
}
let log = Log("pool", threshold: config.logLevel)
let loop = try Loop(name: "pool")

switch command.words {
case ["enroll"]:
    guard let server = command["--server"], let tokenFile = command["--token-file"] else { ProgramContext.exit(64, usage) }
    do {
        let enrollment = try Enrollment(server: server, tokenFile: tokenFile, stateFolder: config.settings.stateFolder, loop: loop)
        let identity = try await enrollment.redeem(kind: .pool, name: command["--name"] ?? ProgramContext.hostName)
        print("enrolled as \(identity.device) at \(identity.server)")
    } catch {
        ProgramContext.exit(1, "\(error)")
    }
case []:
    let program = RunningProgram(loop: loop, log: log, notify: NotifySocket(environment: environment))
    do {
        let signals = try Signals(loop: loop)
        guard let identity = try DeviceIdentity.load(state: config.settings.stateFolder) else {
            ProgramContext.exit(1, "this host is not enrolled: strata-pool enroll --server URL --token-file FILE --config \(file)")
        }
        _ = try await program.start("pool") {
            try await PoolService(settings: config.settings, identity: identity, loop: loop, log: log)
        } stop: { service in
            await service.stop()
        }
        await program.untilStopped(signals) {}
    } catch {
        ProgramContext.exit(1, "\(error)")
    }
default: ProgramContext.exit(64, usage)
}
