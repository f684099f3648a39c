import Auth
import HTTP
import Store
import Units
import Web
import Wire

/// What an organisation's pages look like.
struct BrandingRoutes: Sendable {
    private let parts: Gateway.Parts

    init(_ parts: Gateway.Parts) { self.parts = parts }

    var routes: [Route] {
        [
            Route(
                method: .get, path: "/api/v1/organization/branding", access: .user(.viewOrganization),
                summary: "What the organisation's pages look like", success: .one("Branding"),
                run: { call in
                    let own = try call.caller().user.organization
                    let branding = try await parts.store.brandings(in: call.scope()).find()
                    return .value(parts.view(of: branding ?? Branding(), of: own))
                }),
            Route(
                method: .patch, path: "/api/v1/organization/branding", access: .user(.changeOrganization),
                summary: "Change what is given of it; colours that nobody can read are refused", body: "ChangeBrandingRequest",
                success: .one("Branding"),
                run: { call in
                    let own = try call.caller().user.organization
                    let request = try call.body(ChangeBrandingRequest.self)
                    return .value(parts.view(of: try await parts.store.brandings(in: call.scope()).change(request), of: own))
                }),
            Route(
                method: .post, path: "/api/v1/organization/branding/upload", access: .user(.changeOrganization),
                summary: "An address, good for ten minutes, that a logo or an icon of these bytes is sent to", body: "UploadRequest",
                success: .one("Upload"), run: { call in try parts.upload(to: .branding, call) }),
        ]
    }
}

extension Gateway.Parts {
    func view(of branding: Branding, of organization: OrganizationID) -> BrandingView {
        var view = branding.theme
        view.logo = address(of: branding.logo, in: .branding, of: organization)
        view.icon = address(of: branding.icon, in: .branding, of: organization)
        return view
    }

    /// What an organisation's pages look like; nil where nobody has chosen anything.
    func branding(of organization: OrganizationID) async throws -> BrandingView? {
        let branding = try await store.brandings(in: OrganizationScope(organization, by: .system)).find()
        return branding.map { view(of: $0, of: organization) }
    }
}
