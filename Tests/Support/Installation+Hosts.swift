import Foundation

extension Installation {
    /// One more host of the pool on another machine: enrolled by a token of its own, and started.
    ///
    /// - Parameters:
    ///   - name: its role, and what control calls it.
    ///   - inside: what comes before its commands.
    package func addHost(_ name: String, address: String, capacity: Int, outbound: [String], inside: [String]) async throws {
        let configuration = """
            [host]
            public_addresses = ["\(address)"]
            bind = ["\(address)"]
            first_port = \(ports.lowerBound)
            last_port = \(ports.upperBound)
            capacity = \(capacity)
            cpu_limit = 100
            [folders]
            runtime = "\(try stage.folder.makeFolder("\(name).run"))"
            state = "\(try stage.folder.makeFolder("\(name).state"))"
            [outbound]
            allow = [\(outbound.map { "\"\($0)\"" }.joined(separator: ", "))]
            [log]
            level = "info"
            """
        try stage.folder.write(configuration, to: "\(name).conf")
        let token = stage.folder["\(name).token"]
        _ = try await provision([
            "token", "create", "--kind", "pool", "--operator-token-file", stage.folder["control/operator-token"], "--output", token,
        ])
        let enrollment = try stage.start(
            "strata-pool",
            ["enroll", "--server", origin, "--token-file", token, "--config", stage.folder["\(name).conf"], "--name", name], inside: inside)
        guard try await enrollment.end(within: .seconds(20)) == 0 else { throw SupportFailure("no enrollment:\n\(enrollment.tail)") }
        try await startHost(name, inside: inside)
    }

    /// Starts its pool, again after a kill, and waits until it has reached control.
    @discardableResult
    package func startHost(_ name: String, inside: [String]) async throws -> RunningProgram {
        let pool = try keep(name, stage.start("strata-pool", ["--config", stage.folder["\(name).conf"]], inside: inside))
        try await pool.line(containing: "connected to control", within: .seconds(20))
        return pool
    }
}
