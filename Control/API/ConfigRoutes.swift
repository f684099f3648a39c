import HTTP
import Store
import Web
import Wire

/// What the web application reads at its start (CTL-20): the same build serves every installation.
struct ConfigRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/config", access: .open,
                summary: "What pages need to know before anybody has signed in, and whose they are where that is known",
                query: [.optional("organization", Schemas.slug)], success: .one("Config"), run: read)
        ]
    }

    @Sendable private func read(_ call: Call) async throws -> Response {
        .value(
            ConfigView(
                release: parts.settings.version, ownerExists: try await !parts.store.setup.isOpen(), sendsMail: parts.postman != nil,
                organization: try await house(call.query("organization"))))
    }

    /// The organisation that is named, or the only one that there is. One that has not chosen what its pages look like is as if it were not
    /// there: who has an account here is nobody's to ask, and a logo is shown to everybody by whoever uploads it.
    private func house(_ slug: String?) async throws -> ConfigView.House? {
        let found = if let slug { try await parts.store.organizations.find(slug: slug) } else { try await parts.store.organizations.only() }
        guard let found, let branding = try await parts.branding(of: found.id) else { return nil }
        return ConfigView.House(name: found.name, slug: found.slug, branding: branding)
    }
}
