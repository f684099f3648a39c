/// Cuts what goes to and comes from a port of this machine, in a table of its own that `end` removes.
///
/// Packets are cut where they arrive, so their sender sees nothing of it.
package struct PacketFilter: Sendable {
    package enum Cut: Sendable {
        /// Packets vanish.
        case silent
        /// TCP segments are answered with a reset.
        case reset
    }

    private let table: String
    private let inside: [String]

    /// Begins at once.
    /// - Parameter inside: what comes before a command in the namespace whose incoming packets are cut.
    package init(_ cut: Cut, port: Int, inside: [String] = []) async throws {
        self.inside = inside
        table = "strata_test_\(port)"
        let verdicts =
            switch cut {
            case .silent: ["tcp dport \(port) drop", "tcp sport \(port) drop", "udp dport \(port) drop", "udp sport \(port) drop"]
            case .reset: ["tcp dport \(port) reject with tcp reset"]
            }
        let rules = "type filter hook input priority 0;\n" + verdicts.joined(separator: "\n")
        let line = inside + ["nft", "table ip \(table) {\nchain cut {\n\(rules)\n}\n}\n"]
        _ = try await runTool(line[0], Array(line.dropFirst()))
    }

    package func end() async {
        let line = inside + ["nft", "delete table ip \(table)"]
        // Gone already is as good.
        _ = try? await runTool(line[0], Array(line.dropFirst()), mayFail: true)
    }
}

/// Runs a body while a port is cut, and mends it whatever happens.
package func whileCut<Result>(
    _ cut: PacketFilter.Cut, port: Int, inside: [String] = [], _ body: () async throws -> Result
) async throws -> Result {
    let filter = try await PacketFilter(cut, port: port, inside: inside)
    do {
        let result = try await body()
        await filter.end()
        return result
    } catch {
        await filter.end()
        throw error
    }
}
