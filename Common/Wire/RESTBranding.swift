// Bodies of the REST API: what an organisation's pages look like. Shapes and limits: the OpenAPI document.

/// How dark the pages are of whoever has chosen nothing; once shipped a name is never changed, here and below.
package enum ThemeMode: String, Codable, Sendable, CaseIterable { case light, dark, darkest }

package enum ThemeBorder: String, Codable, Sendable, CaseIterable { case none, thin, fat }

package enum ThemeCorners: String, Codable, Sendable, CaseIterable {
    case sharp, rounded
    case extraRounded = "extra-rounded"
    case circular
}

/// An organisation's theme and pictures (ORG-14, ORG-16). Colours are `#2563EB`; lengths are pixels of CSS.
package struct BrandingView: Codable, Sendable, Hashable {
    package var mode = ThemeMode.dark
    package var brand = "#2563EB"
    /// Behind everything, and the text on it: in this mode alone. nil: the mode's own.
    package var background: String?
    package var text: String?
    /// nil: black or white, whichever is read better.
    package var textOnPrimary: String?
    package var videoBackground = "#1A1A1A"
    /// The step of the scale of distances: 3 to 6.
    package var spacing = 4
    package var border = ThemeBorder.thin
    package var corners = ThemeCorners.rounded
    package var logoHeight = 32
    /// Where the pictures lie, below the server's origin; anybody may read them. nil: there is none.
    package var logo: String?
    package var icon: String?

    package init() {}
}

/// `PATCH /organization/branding`: what is nil stays.
package struct ChangeBrandingRequest: Codable, Sendable {
    package var mode: ThemeMode?
    package var brand: String?
    /// Empty, here and in what may be nil in the view: none.
    package var background: String?
    package var text: String?
    package var textOnPrimary: String?
    package var videoBackground: String?
    package var spacing: Int?
    package var border: ThemeBorder?
    package var corners: ThemeCorners?
    package var logoHeight: Int?
    /// The names of files that were uploaded.
    package var logo: String?
    package var icon: String?

    package init() {}
}

/// `POST /organization/branding/upload`, `POST /auth/me/avatar`: a file that is about to be sent.
package struct UploadRequest: Codable, Sendable {
    /// 64 hexadecimal digits in lower case.
    package var sha256: String
    /// How its name ends: png, jpg or webp.
    package var kind: String
    package var bytes: Int

    package init(sha256: String, kind: String, bytes: Int) {
        self.sha256 = sha256
        self.kind = kind
        self.bytes = bytes
    }
}

/// Where it is sent to, by PUT, in the same session.
package struct UploadView: Codable, Sendable {
    /// Below the server's origin; signed.
    package var url: String
    /// What it is called from then on.
    package var name: String
    package var expiresInSeconds: Int

    package init(url: String, name: String, expiresInSeconds: Int) {
        self.url = url
        self.name = name
        self.expiresInSeconds = expiresInSeconds
    }
}
