// API tokens: for programs, in place of a session.
import Crypto
import HTTP
import Units
import Wire

extension Console {
    /// The API token that a command shows; nil where the session is used.
    ///
    /// - Parameter file: from `--api-token-file`.
    static func apiToken(_ file: String?, _ environment: [String: String]) throws -> Secret? {
        if let file { return try secret(of: file).secret }
        let text = (environment["STRATA_API_TOKEN"] ?? "").prefix { !$0.isNewline }
        return text.isEmpty ? nil : Secret(String(text))
    }

    func apiToken(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        switch try arguments.word("create, list or end") {
        case "create": try await createAPIToken(&arguments, client)
        case "list":
            try arguments.finish()
            show(try await client.call(.get, "/api/v1/api-tokens") as ListView<APITokenView>)
        case "end":
            let id: APITokenID = try arguments.wordID("the API token's id")
            try arguments.finish()
            try await client.callEmpty(.delete, "/api/v1/api-tokens/\(id)")
        case let other: throw Arguments.Fault("'api-token \(other)' is not a command; see --help")
        }
    }

    private func createAPIToken(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let scopes = try arguments.all("scope").map { text in
            guard let scope = APITokenScope(rawValue: text) else {
                throw Arguments.Fault(
                    "--scope is '\(text)'; expected one of \(APITokenScope.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return scope
        }
        guard !scopes.isEmpty else { throw Arguments.Fault("--scope is missing") }
        let request = CreateAPITokenRequest(
            name: try arguments.required("name"), scopes: scopes,
            expiresInSeconds: try arguments.integer("expires", in: 3600...31_536_000),
            password: try Self.secret(of: arguments.required("password-file")))
        let file = try arguments.optional("output")
        try arguments.finish()
        if let file { try KeyFile.check(file) }
        var made: APITokenView = try await client.call(.post, "/api/v1/api-tokens", request)
        if let file {
            try Self.keep(made.token, in: file, "the API token \(made.id)", until: made.expiresAt)
            made.token = nil
        }
        show(made)
    }

    /// Writes what was made into a file of mode 0600.
    static func keep(_ token: SecretOnWire?, in file: String, _ what: String, until end: String) throws {
        do {
            try KeyFile.write((token?.secret.revealed ?? "") + "\n", to: file)
        } catch {
            throw Arguments.Fault("\(error); \(what) was made for nothing and ends at \(end)")
        }
    }
}
