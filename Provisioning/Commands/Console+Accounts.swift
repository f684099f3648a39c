// Accounts, tokens and organisations.
import Crypto
import HTTP
import Sheets
import Units
import Wire

extension Console {
    func register(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let request = RegisterRequest(
            setupSecret: try Self.secret(of: arguments.required("setup-secret-file")),
            organizationName: try arguments.required("organization"), organizationSlug: try arguments.required("slug"),
            email: try arguments.required("email"), password: try Self.secret(of: arguments.required("password-file")),
            displayName: try arguments.required("name"))
        try arguments.finish()
        show(try await client.enter("/api/v1/auth/register", request))
    }

    func login(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let request = LoginRequest(
            email: try arguments.required("email"), password: try Self.secret(of: arguments.required("password-file")),
            organization: try arguments.optional("organization"))
        try arguments.finish()
        show(try await client.enter("/api/v1/auth/login", request))
    }

    func token(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        switch try arguments.word("create, list or withdraw") {
        case "create": try await createToken(&arguments, client)
        case "withdraw":
            let id: EnrollmentTokenID = try arguments.wordID("the token's id")
            try arguments.finish()
            try await client.callEmpty(.delete, "/api/v1/enrollment-tokens/\(id)")
        case "list":
            try arguments.finish()
            show(try await client.call(.get, "/api/v1/enrollment-tokens") as ListView<TokenView>)
        case let other: throw Arguments.Fault("'token \(other)' is not a command; see --help")
        }
    }

    private func createToken(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        let kindText = try arguments.optional("kind") ?? "sender"
        guard let kind = DeviceKind(rawValue: kindText) else { throw Arguments.Fault("--kind is '\(kindText)'; expected sender or pool") }
        let request = CreateTokenRequest(
            kind: kind, name: try arguments.optional("name"), expiresInSeconds: try arguments.integer("expires", in: 60...2_592_000),
            configuration: try arguments.optional("configuration").map(Self.text))
        let file = try arguments.optional("output")
        let picture = try arguments.optional("qr")
        let operatorFile = try arguments.optional("operator-token-file")
        try arguments.finish()
        switch (kind, operatorFile) {
        case (.pool, nil):
            throw Arguments.Fault(
                "--operator-token-file is missing: a token for a pool host is the operator's to make, by operator-token in control's state folder"
            )
        case (.sender, _?): throw Arguments.Fault("--operator-token-file is for --kind pool: a token for a sender is an organisation's")
        default: break
        }
        for file in [file, picture].compactMap({ $0 }) { try KeyFile.check(file) }
        let made: TokenView
        if let operatorFile {
            let token = try Self.secret(of: operatorFile).secret
            made = try await client.callOperator(.post, "/api/v1/operator/enrollment-tokens", request, token: token)
        } else {
            made = try await client.call(.post, "/api/v1/enrollment-tokens", request)
        }
        if let picture, let token = made.token { try KeyFile.write(QRCode(token.secret.revealed).svg, to: picture) }
        guard let file else { return show(made) }
        try Self.keep(made.token, in: file, "the token \(made.id)", until: made.expiresAt)
        show(TokenView(id: made.id, kind: made.kind, name: made.name, expiresAt: made.expiresAt, device: nil, token: nil))
    }

    func organization(_ arguments: inout Arguments, _ client: ControlClient) async throws {
        guard try arguments.word("create") == "create" else { throw Arguments.Fault("'organization create' is the only one; see --help") }
        let token = try Self.secret(of: arguments.required("operator-token-file")).secret
        let request = CreateOrganizationRequest(
            name: try arguments.required("name"), slug: try arguments.required("slug"), ownerEmail: try arguments.required("email"),
            ownerDisplayName: try arguments.required("owner"), ownerPassword: try Self.secret(of: arguments.required("password-file")))
        try arguments.finish()
        show(try await client.callOperator(.post, "/api/v1/operator/organizations", request, token: token) as OrganizationView)
    }
}
