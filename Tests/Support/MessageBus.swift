import Foundation
import Glibc

/// A message bus of a test's own, and services on it.
package final class MessageBus: Sendable {
    private let stage: Stage
    private let daemon: RunningProgram
    /// For `DBUS_SYSTEM_BUS_ADDRESS`.
    package let address: String

    /// - Parameter name: of its socket in the stage's folder; a bus of the same name takes the place of one that has ended.
    package init(on stage: Stage, name: String = "bus") async throws {
        self.stage = stage
        address = "unix:path=\(stage.folder[name])"
        let configuration = try stage.folder.write(
            """
            <busconfig>
              <type>system</type>
              <listen>\(address)</listen>
              <auth>EXTERNAL</auth>
              <policy context="default">
                <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
              </policy>
            </busconfig>
            """, to: "\(name).conf")
        try? FileManager.default.removeItem(atPath: stage.folder[name])  // Of one that was killed.
        let path = stage.folder[name]
        let daemon = try stage.start("dbus-daemon", ["--config-file=\(configuration)", "--nofork", "--nopidfile"])
        self.daemon = daemon
        try await eventually(within: .seconds(10), "the bus listens; it said:\n\(daemon.tail)") { access(path, F_OK) == 0 }
    }

    /// Ends it at once, as a crash does.
    package func kill() async throws {
        daemon.signal(SIGKILL)
        _ = try await daemon.end(within: .seconds(5))
    }

    /// The real ModemManager, which looks for no hardware.
    package func modemManager() async throws -> RunningProgram {
        let program = try stage.start("ModemManager", ["--no-auto-scan"], environment: ["DBUS_SYSTEM_BUS_ADDRESS": address])
        try await waitFor(owner: "org.freedesktop.ModemManager1", program)
        return program
    }

    /// A stand-in with modems in place of hardware: `Fixtures/modems/modemmanager.py`.
    package func standIn() async throws -> ModemStandIn {
        let template = Places.root.appendingPathComponent("Tests/Fixtures/modems/modemmanager.py").path
        let program = try stage.start(
            "/usr/bin/python3", ["-m", "dbusmock", "--system", "--template", template],
            environment: ["DBUS_SYSTEM_BUS_ADDRESS": address, "PYTHONDONTWRITEBYTECODE": "1"])
        let standIn = ModemStandIn(address: address, program: program)
        try await eventually(within: .seconds(10), "the stand-in answers; it said:\n\(program.tail)") {
            if program.ending != nil { throw SupportFailure(program.tail) }
            return try await standIn.run("result = 'here'") == "here"
        }
        return standIn
    }

    private func waitFor(owner name: String, _ program: RunningProgram) async throws {
        try await eventually(within: .seconds(10), "\(name) is on the bus; it said:\n\(program.tail)") {
            try await runTool("busctl", ["--address=\(address)", "status", name], mayFail: true).status == 0
        }
    }
}

/// ModemManager's stand-in, driven by Python.
package struct ModemStandIn: Sendable {
    let address: String
    package let program: RunningProgram

    /// Executes statements with the functions of the template.
    /// - Returns: what they left in `result`.
    @discardableResult
    package func run(_ code: String) async throws -> String {
        let answer = try await runTool(
            "busctl",
            [
                "--address=\(address)", "--json=short", "call", "org.freedesktop.ModemManager1", "/org/freedesktop/ModemManager1",
                "org.freedesktop.DBus.Mock", "Run", "s", code,
            ])
        struct Answer: Decodable { let data: [String] }
        return try JSONDecoder().decode(Answer.self, from: answer.output).data.first ?? ""
    }

    /// What a modem's methods were called with, in order.
    package func calls(of modem: Int = 0) async throws -> [String] {
        try await run("result = '\\n'.join(Modem.every[\(modem)].calls)").split(separator: "\n").map(String.init)
    }
}
