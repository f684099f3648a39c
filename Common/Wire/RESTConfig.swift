// The body of the REST API that the web application reads at its start. Shape and limits: the OpenAPI document.

/// `GET /config`: what anybody may know (CTL-20).
package struct ConfigView: Codable, Sendable, Hashable {
    /// The server's version.
    package var release: String
    /// Whether there is an owner yet.
    package var ownerExists: Bool
    /// Whether links come by mail.
    package var sendsMail: Bool
    /// Whose pages these are, where that is known and it has chosen what they look like.
    package var organization: House?

    package struct House: Codable, Sendable, Hashable {
        package var name: String
        package var slug: String
        package var branding: BrandingView

        package init(name: String, slug: String, branding: BrandingView) {
            self.name = name
            self.slug = slug
            self.branding = branding
        }
    }

    package init(release: String, ownerExists: Bool, sendsMail: Bool, organization: House?) {
        self.release = release
        self.ownerExists = ownerExists
        self.sendsMail = sendsMail
        self.organization = organization
    }
}
