import Crypto
import SQLite
package import Units
package import Wire

/// What an organisation has decided for itself.
package struct OrganizationSettings: Sendable, Hashable {
    package var locale = PageLocale.automatic
    package var registration = RegistrationPolicy.inviteOnly
    /// What whoever registers agrees to, and where it stands.
    package var terms: String?
    package var termsURL: String?
    /// Where the registration is open.
    package fileprivate(set) var code: Secret?

    package init() {}

    package var hasTerms: Bool { terms != nil || termsURL != nil }
}

/// A change of some of them: what is nil stays.
package struct SettingsChange: Sendable {
    package var name: String?
    package var locale: PageLocale?
    package var registration: RegistrationPolicy?
    package var hasNewCode = false
    /// Empty: none.
    package var terms: String?
    package var termsURL: String?

    package init() {}
}

/// An organisation's settings.
package struct Settings: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    package func find() async throws -> OrganizationSettings {
        let keyring = store.keyring
        return try await store.read { try $0.settings(in: scope, openedBy: keyring) }
    }

    /// Changes what is given, all of it or nothing.
    ///
    /// An open registration has a code: another one when it is opened, and when one is asked for. With a code those go who have asked by it and have
    /// not come yet.
    ///
    /// - Parameter fresh: the code, where another one is needed.
    /// - Throws: `.invalid` for a name, terms or an address that cannot be one.
    package func change(_ change: SettingsChange, freshCode fresh: Secret) async throws -> OrganizationSettings {
        let keyring = store.keyring
        let (name, terms) = (try change.name.map { try checked($0, "organization.name", upTo: 100) }, try change.checkedTerms())
        return try await store.write(.durable) { transaction in
            let old = try transaction.settings(in: scope, openedBy: keyring)
            var new = old
            if let name { try transaction.renameOrganization(to: name, in: scope) }
            if let locale = change.locale { new.locale = locale }
            if let text = terms.text { new.terms = text.isEmpty ? nil : text }
            if let url = terms.url { new.termsURL = url.isEmpty ? nil : url }
            if let registration = change.registration { new.registration = registration }
            let keepsCode = new.registration == .open && old.code != nil && !change.hasNewCode
            if !keepsCode { new.code = new.registration == .open ? fresh : nil }
            guard new != old else { return old }
            if new.code != old.code { try transaction.endRegistrations(in: scope) }
            try transaction.store(new, sealedBy: keyring, in: scope)
            try transaction.note(.settingsChanged, scope.organization.text, detail: new.difference(from: old), in: scope)
            return new
        }
    }
}

extension ControlStore {
    package func settings(in scope: OrganizationScope) -> Settings { Settings(store: self, scope: scope) }
}

extension SettingsChange {
    private func checkedURL() throws -> String? {
        guard let termsURL, !termsURL.isEmpty else { return termsURL }
        guard termsURL.hasPrefix("https://"), termsURL.utf8.count <= 500, termsURL.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw StoreError.invalid(
                field: "settings.terms_url", expected: "an address that begins with https://, of at most 500 characters")
        }
        return termsURL
    }

    fileprivate func checkedTerms() throws -> (text: String?, url: String?) {
        (try terms.map { try $0.isEmpty ? $0 : checked($0, "settings.terms", upTo: 300) }, try checkedURL())
    }
}

extension OrganizationSettings {
    /// What has another value, for the audit log.
    fileprivate func difference(from old: OrganizationSettings) -> String {
        var parts: [String] = []
        if locale != old.locale { parts.append("locale \(locale.rawValue)") }
        if registration != old.registration { parts.append("registration \(registration.rawValue)") }
        if code != old.code, registration == old.registration { parts.append("another code") }
        if terms != old.terms || termsURL != old.termsURL { parts.append("terms") }
        return parts.joined(separator: ", ")
    }
}

private struct StoredSettings: OrganizationRow {
    let settings: OrganizationSettings
    let sealedCode: [UInt8]?

    static var table: OrganizationTable { .organizationSettings }

    init(_ row: borrowing Row) throws {
        var settings = OrganizationSettings()
        // What a newer program knows as a language is here as if none had been chosen.
        let locale: String = try row["locale"]
        settings.locale = PageLocale(rawValue: locale) ?? .automatic
        let registration: String = try row["registration"]
        settings.registration = RegistrationPolicy(rawValue: registration) ?? .inviteOnly
        settings.terms = try row["terms"]
        settings.termsURL = try row["terms_url"]
        self.settings = settings
        sealedCode = try row["code"]
    }
}

extension Transaction {
    fileprivate static func place(in organization: OrganizationID) -> SealedPlace {
        SealedPlace(organization: organization.text, column: "organization_settings.code", row: organization.text)
    }

    func settings(in scope: OrganizationScope, openedBy keyring: Keyring) throws -> OrganizationSettings {
        guard let row = try row(StoredSettings.self, in: scope, where: "TRUE") else { return OrganizationSettings() }
        var settings = row.settings
        if let sealed = row.sealedCode {
            settings.code = Secret(String(decoding: try keyring.open(sealed, for: Self.place(in: scope.organization)), as: UTF8.self))
        }
        return settings
    }

    fileprivate func store(_ settings: OrganizationSettings, sealedBy keyring: Keyring, in scope: OrganizationScope) throws {
        try delete(from: .organizationSettings, in: scope, where: "TRUE")
        try insert(
            into: .organizationSettings, in: scope,
            [
                "locale": settings.locale.rawValue, "registration": settings.registration.rawValue, "terms": settings.terms,
                "terms_url": settings.termsURL, "code_hash": settings.code.map { SHA256.hash($0.revealed) },
                "code": try settings.code.map {
                    try keyring.seal(Array($0.revealed.utf8), for: Self.place(in: scope.organization))
                }, "changed_at": now,
            ])
    }
}
