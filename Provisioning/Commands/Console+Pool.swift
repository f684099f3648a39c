// The pool's hosts.
import HTTP
import Units
import Wire

extension Console {
    func pool(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let command = try arguments.word("list, drain or resume")
        switch command {
        case "list":
            let token = try operatorToken(&arguments)
            try arguments.finish()
            guard let token else { return show(try await client.call(.get, "/api/v1/pool") as ListView<HostView>) }
            show(try await client.callOperator(.get, "/api/v1/operator/pool", token: token) as ListView<HostView>)
        case "drain", "resume":
            let id: DeviceID = try arguments.wordID("the host's id")
            let token = try operatorToken(&arguments)
            try arguments.finish()
            let request = ChangeHostRequest(draining: command == "drain")
            guard let token else { return show(try await client.call(.patch, "/api/v1/pool/\(id)", request) as HostView) }
            show(try await client.callOperator(.patch, "/api/v1/operator/pool/\(id)", request, token: token) as HostView)
        default: throw Arguments.Fault("'pool \(command)' is not a command; see --help")
        }
    }

    /// In place of a session, where its file is named.
    private func operatorToken(_ arguments: inout Arguments) throws -> Secret? {
        try arguments.optional("operator-token-file").map { try Self.secret(of: $0).secret }
    }
}
