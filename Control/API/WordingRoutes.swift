import Auth
import HTTP
import Store
import Web
import Wire

/// Texts of the pages in an organisation's own words.
struct WordingRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/organization/wording", access: .user(.viewOrganization),
                summary: "The texts that the organisation's pages have in its own words", success: .page("WordingItem"),
                run: { call in .list(try await parts.store.wordings(in: call.scope()).all()) }),
            Route(
                method: .patch, path: "/api/v1/organization/wording", access: .user(.changeOrganization),
                summary: "Change these texts; an empty one is the catalogue's own again", body: "ChangeWordingRequest",
                success: .page("WordingItem"), problems: [.quota],
                run: { call in
                    let request = try call.body(ChangeWordingRequest.self)
                    return .list(try await parts.store.wordings(in: call.scope()).change(request.items))
                }),
        ]
    }
}
