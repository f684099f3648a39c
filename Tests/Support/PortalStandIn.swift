import Foundation
import Posix

/// A network with a sign-in page, in place of a hotel's: `Fixtures/networks/portal.py`.
package final class PortalStandIn: Sendable {
    package let port: Int
    private let program: RunningProgram
    private let path: String

    /// - Parameters:
    ///   - port: nil for one that is free.
    ///   - certificate: with it it speaks TLS.
    package init(on stage: Stage, at address: String = "0.0.0.0", port: Int? = nil, certificate: PlatformCertificate? = nil) async throws {
        self.port = try port ?? FreePorts.tcp()
        path = stage.folder["portal\(self.port).json"]
        try Self.write([:], to: path)
        let script = Places.root.appendingPathComponent("Tests/Fixtures/networks/portal.py").path
        program = try stage.start(
            "/usr/bin/python3", [script, address, "\(self.port)", path] + (certificate.map { [$0.chain, $0.key] } ?? []))
        try await program.line(containing: "listening")
    }

    /// What it answers from now on.
    package func answer(status: Int, location: String? = nil, body: String? = nil) throws {
        var state: [String: Any] = ["status": status]
        state["location"] = location
        state["body"] = body
        try Self.write(state, to: path)
    }

    private static func write(_ state: [String: Any], to path: String) throws {
        try JSONSerialization.data(withJSONObject: state).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// The questions so far: method, path, and the fields as JSON.
    package var questions: [String] { Array(program.lines.dropFirst()) }
}

/// Turns what comes in over one interface of this machine to a stand-in, and lets nothing else of it in: as a hotel's network does until somebody has
/// signed in. In a table of its own that `end` removes.
package struct PortalInterception: Sendable {
    private let table: String

    /// - Parameter ports: which port goes to which of this machine; to itself: stays open.
    package init(on interface: String, _ ports: [(from: Int, to: Int)]) async throws {
        table = "strata_portal_\(interface)"
        let turns = ports.filter { $0.from != $0.to }.map { "iifname \"\(interface)\" tcp dport \($0.from) redirect to :\($0.to)\n" }
            .joined()
        let open = ports.map { "\($0.to)" }.joined(separator: ", ")
        _ = try await runTool(
            "nft",
            [
                """
                table ip \(table) {
                chain turn {
                type nat hook prerouting priority dstnat;
                \(turns)}
                chain cut {
                type filter hook input priority 0;
                iifname "\(interface)" tcp dport { \(open) } accept
                iifname "\(interface)" drop
                }
                }

                """
            ])
    }

    package func end() async {
        // Gone already is as good.
        _ = try? await runTool("nft", ["delete table ip \(table)"], mayFail: true)
    }
}
