package import Configuration
import Glibc
package import Logging

/// How every program begins: with its configuration, or with everything that is wrong with it.
package enum Startup {
    /// Reads a program's configuration from its file and the environment.
    ///
    /// A file that cannot be read or that has faults ends the program with 78 (EX_CONFIG, sysexits.h), after a line for each
    /// fault with its key, its value, what was expected and where it was given.
    package static func configuration<Settings>(
        _ file: String, for log: Log, _ read: (_ text: String, _ environment: [String: String]) throws -> Settings
    ) -> Settings {
        do {
            return try read(ProgramContext.readText(file), ProgramContext.environment)
        } catch let faults as ConfigurationFaults {
            end(with: faults, log)
        } catch {
            log.error("the configuration cannot be read", ["file": .text(file), "error": "\(error)"])
        }
        Glibc.exit(78)
    }

    /// Ends the program in this way, also where it is the machine that cannot do what the configuration says.
    package static func end(with faults: ConfigurationFaults, _ log: Log) -> Never {
        for fault in faults.faults { tell(fault, in: faults.source, log) }
        Glibc.exit(78)
    }

    private static func tell(_ fault: ConfigurationFault, in file: String, _ log: Log) {
        var log = log.with("file", .text(file)).with("key", .text(fault.key))
        if let value = fault.value { log = log.with("value", .text(value)) }
        log = log.with("expected", .text(fault.expected))
        if let place = fault.place { log = log.with("place", .text(place)) }
        log.error("the configuration is wrong")
    }
}
