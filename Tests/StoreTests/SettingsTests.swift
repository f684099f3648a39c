import Crypto
@testable import Store
import Testing
import Units
import Wire

@Suite("An organisation's settings")
struct SettingsTests {
    private func change(_ fixture: Fixture, _ set: (inout SettingsChange) -> Void) async throws -> OrganizationSettings {
        var change = SettingsChange()
        set(&change)
        return try await fixture.store.settings(in: fixture.scope).change(change, freshCode: Secret("CODE"))
    }

    @Test("are what nobody has changed yet, change by what is given alone, and each change is in the audit log without the code")
    func changes() async throws {
        let fixture = try await Fixture()
        let settings = fixture.store.settings(in: fixture.scope)
        #expect(try await settings.find() == OrganizationSettings())
        _ = try await change(fixture) { $0.locale = .german }
        _ = try await change(fixture) { ($0.terms, $0.termsURL) = ("Rules", "https://example.org/rules?x=1") }
        let open = try await change(fixture) { ($0.registration, $0.name) = (.open, "Renamed") }
        #expect(open.locale == .german && open.terms == "Rules" && open.termsURL == "https://example.org/rules?x=1")
        #expect(open.code == Secret("CODE"))
        #expect(try await settings.find() == open)
        #expect(try await fixture.store.organizations.find(fixture.organization.id)?.name == "Renamed")
        let without = try await change(fixture) { ($0.terms, $0.termsURL) = ("", "") }
        #expect(without.terms == nil && without.termsURL == nil && without.code == open.code)
        let entries = try await fixture.store.audit(in: fixture.scope).entries()
        let details = Set(entries.filter { $0.action == .settingsChanged }.compactMap(\.detail))
        #expect(details == ["locale de-DE", "terms", "registration open"])
        // Nothing that changes nothing.
        _ = try await change(fixture) { $0.locale = .german }
        #expect(try await fixture.store.audit(in: fixture.scope).entries().count == entries.count)
        #expect(try await fixture.store.settings(in: fixture.stranger()).find() == OrganizationSettings())
    }

    @Test("take no name, terms or address that cannot be one, and then nothing of the change")
    func refusals() async throws {
        let fixture = try await Fixture()
        let hostile = ["a\nb", "\u{202e}", " ", String(repeating: "x", count: 301)]
        for text in hostile {
            await #expect(throws: StoreError.self) { try await change(fixture) { ($0.locale, $0.terms) = (.german, text) } }
            await #expect(throws: StoreError.self) { try await change(fixture) { ($0.locale, $0.name) = (.german, text) } }
        }
        let schemes = ["http://example.org", "javascript:alert(1)", "https:/x", "//x", "https://x y", "https://ü"]
        for url in hostile + schemes + ["https://" + String(repeating: "x", count: 500)] {
            await #expect(throws: StoreError.self) { try await change(fixture) { ($0.locale, $0.termsURL) = (.german, url) } }
        }
        #expect(try await fixture.store.settings(in: fixture.scope).find() == OrganizationSettings())
    }

    @Test("keep the code sealed, and registrations to a number of their own")
    func sealed() async throws {
        var quotas = Quotas()
        quotas[.registrations] = 1
        let fixture = try await Fixture(quotas: quotas)
        _ = try await change(fixture) { $0.registration = .open }
        let sealed: [UInt8]?? = try await fixture.store.read {
            try $0.column("code", of: .organizationSettings, in: fixture.scope, where: "TRUE")
        }
        #expect((sealed ?? nil).map { $0.count > 4 && $0 != Array("CODE".utf8) } == true)
        func register(_ email: String) async throws -> Bool {
            try await fixture.store.identities.register(
                slug: "first", code: Secret("CODE"), email: email, agrees: false, secret: Secret(Hex.encode(randomBytes(16))),
                lifetime: .seconds(60), from: "a", mail: { _ in nil })
        }
        #expect(try await register("a@x"))
        await #expect(throws: StoreError.quota(.registrations, limit: 1)) { try await register("b@x") }
        _ = try await fixture.invite("c@x")
        #expect(try await register("a@x"), "the same again takes its own place")
        fixture.clock.advance(.seconds(60))
        #expect(try await register("b@x"))
    }
}
