import Blobs
import FoundationEssentials
import SQLite
package import Wire

/// What an organisation's pages look like: its theme, whose pictures are the names of files here.
package struct Branding: Sendable, Hashable {
    /// Without its pictures.
    package fileprivate(set) var theme = BrandingView()
    package fileprivate(set) var logo: String?
    package fileprivate(set) var icon: String?

    package init() {}
}

/// An organisation's branding.
package struct Brandings: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// nil where nobody has chosen any.
    package func find() async throws -> Branding? {
        try await store.read { try $0.row(BrandingRow.self, in: scope, where: "TRUE")?.branding }
    }

    /// Changes what is given, all of it or nothing.
    ///
    /// - Throws: `.invalid` for what is none, for colours that nobody can read, and for pictures that were not uploaded.
    package func change(_ request: ChangeBrandingRequest) async throws -> Branding {
        try await store.write(.durable) { transaction in
            let old = try transaction.row(BrandingRow.self, in: scope, where: "TRUE")?.branding
            var new = old ?? Branding()
            try new.theme.take(request)
            if let logo = request.logo { new.logo = try transaction.uploaded(logo, to: .branding, as: "branding.logo", in: scope) }
            if let icon = request.icon { new.icon = try transaction.uploaded(icon, to: .branding, as: "branding.icon", in: scope) }
            guard new != old else { return new }
            try transaction.delete(from: .branding, in: scope, where: "TRUE")
            try transaction.insert(
                into: .branding, in: scope,
                ["theme": try JSONColumn(new.theme), "logo": new.logo, "icon": new.icon, "changed_at": transaction.now])
            let detail = new.difference(from: old ?? Branding())
            try transaction.note(.brandingChanged, scope.organization.text, detail: detail, in: scope)
            return new
        }
    }
}

extension ControlStore {
    package func brandings(in scope: OrganizationScope) -> Brandings { Brandings(store: self, scope: scope) }
}

extension Branding {
    /// What has another value, for the audit log.
    fileprivate func difference(from old: Branding) -> String {
        var parts: [String] = []
        if theme.mode != old.theme.mode { parts.append("theme \(theme.mode.rawValue)") }
        if theme.brand != old.theme.brand { parts.append("brand \(theme.brand)") }
        var (rest, oldRest) = (theme, old.theme)
        (rest.mode, rest.brand) = (oldRest.mode, oldRest.brand)
        if rest != oldRest { parts.append("other tokens") }
        if logo != old.logo { parts.append(logo == nil ? "no logo" : "another logo") }
        if icon != old.icon { parts.append(icon == nil ? "no icon" : "another icon") }
        return parts.joined(separator: ", ")
    }
}

extension BrandingView {
    /// What is not nil of a change, but its pictures.
    fileprivate mutating func take(_ change: ChangeBrandingRequest) throws {
        mode = change.mode ?? mode
        brand = try Self.colour(change.brand, "branding.brand") ?? brand
        videoBackground = try Self.colour(change.videoBackground, "branding.video_background") ?? videoBackground
        if let text = change.background { background = try Self.optionalColour(text, "branding.background") }
        if let text = change.text { self.text = try Self.optionalColour(text, "branding.text") }
        if let text = change.textOnPrimary { textOnPrimary = try Self.optionalColour(text, "branding.text_on_primary") }
        spacing = try Self.bounded(change.spacing, "branding.spacing", 3...6) ?? spacing
        logoHeight = try Self.bounded(change.logoHeight, "branding.logo_height", 16...48) ?? logoHeight
        border = change.border ?? border
        corners = change.corners ?? corners
        try checkContrast()
    }

    private static func bounded(_ number: Int?, _ field: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let number else { return nil }
        guard range.contains(number) else {
            throw StoreError.invalid(field: field, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func optionalColour(_ text: String, _ field: String) throws -> String? {
        text.isEmpty ? nil : try colour(text, field)
    }

    private static func colour(_ text: String?, _ field: String) throws -> String? {
        guard let text else { return nil }
        guard Colour(text) != nil else { throw StoreError.invalid(field: field, expected: "a colour such as #2563EB") }
        return text.uppercased()
    }

    /// Refuses what nobody can read. The brand's colour is none of it: pages take the shade of it that can be read where they write with it.
    private func checkContrast() throws {
        let palette = ThemePalette(mode)
        let ground = background.flatMap { Colour($0) } ?? palette.ground
        if background != nil {
            let worst = palette.signs.map { $0.contrast(with: ground) }.min() ?? 21
            try Self.demand(worst, "branding.background", "warnings and notes of the \(mode.rawValue) theme")
        }
        if let own = text.flatMap({ Colour($0) }) {
            try Self.demand(own.contrast(with: ground), "branding.text", "this text on its background")
        }
        if let own = textOnPrimary.flatMap({ Colour($0) }), let brand = Colour(brand) {
            try Self.demand(own.contrast(with: brand), "branding.text_on_primary", "this text on the brand's colour")
        }
    }

    private static func demand(_ contrast: Double, _ field: String, _ what: String) throws {
        guard contrast < Colour.readable else { return }
        // Rounded down: 4.49 is not told as 4.5.
        let tenths = Int(contrast * 10)
        throw StoreError.invalid(
            field: field,
            expected: "a colour that can be read: \(what) would have a contrast of \(tenths / 10).\(tenths % 10) to 1, and needs 4.5")
    }
}

/// What the pages' own colours are, as far as an organisation's have to fit them. Source: `Control/Dashboard/design/tokens.css`.
private struct ThemePalette {
    let ground: Colour
    /// Muted text, good, warning and bad.
    let signs: [Colour]

    init(_ mode: ThemeMode) {
        func colours(_ texts: String...) -> [Colour] { texts.compactMap { Colour($0) } }
        let all =
            switch mode {
            case .light: colours("#F3F5F7", "#536170", "#14693A", "#865000", "#AD1F17")
            case .dark: colours("#0F1419", "#9AA7B4", "#5FCE92", "#F0B95C", "#FF8D85")
            case .darkest: colours("#000000", "#9AA7B4", "#5FCE92", "#F0B95C", "#FF8D85")
            }
        ground = all[0]
        signs = Array(all.dropFirst())
    }
}

private struct BrandingRow: OrganizationRow {
    let branding: Branding

    static var table: OrganizationTable { .branding }

    init(_ row: borrowing Row) throws {
        var branding = Branding()
        let theme: String = try row["theme"]
        // try?: what a newer program has made of it is here as if nothing had been chosen.
        branding.theme = (try? JSONDecoder().decode(BrandingView.self, from: Data(theme.utf8))) ?? BrandingView()
        branding.logo = try row["logo"]
        branding.icon = try row["icon"]
        self.branding = branding
    }
}
