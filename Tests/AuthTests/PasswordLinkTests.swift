import Mail
import Store
import Testing
import Units
import Wire

@testable import Auth

@Suite("A link of the operator's")
struct PasswordLinkTests {
    private static let links = AccountLinks(origin: "https://live.example.org")
    private static let new = Secret("another horse")

    private func make(_ fixture: Fixture, for email: String = "owner@first.example", in slug: String = "first") async throws -> PasswordLink
    {
        try await PasswordLink.make(for: email, in: slug, links: Self.links, by: fixture.store)
    }

    private func token(_ made: PasswordLink) throws -> Secret {
        let start = "https://live.example.org/reset-password#token="
        try #require(made.link.revealed.hasPrefix(start))
        return Secret(String(made.link.revealed.dropFirst(start.count)))
    }

    @Test("gives the owner a new password, once and in place of an older one, and stands in both audit logs")
    func owner() async throws {
        let fixture = try await Fixture()
        let older = try await make(fixture)
        let made = try await make(fixture, for: "OWNER@first.example")
        #expect(made.user.role == .owner && made.organizationName == "First")
        await #expect(throws: StoreError.linkRefused) {
            try await fixture.gate.resetPassword(try token(older), to: Self.new, from: Fixture.origin)
        }
        try await fixture.gate.resetPassword(try token(made), to: Self.new, from: Fixture.origin)
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.refresh(try #require(fixture.owner.refreshToken)) }
        _ = try await fixture.login("owner@first.example", Self.new)
        await #expect(throws: StoreError.linkRefused) {
            try await fixture.gate.resetPassword(try token(made), to: Fixture.password, from: Fixture.origin)
        }
        let scope = OrganizationScope(fixture.owner.principal.user.organization, by: .system)
        let issued = try await fixture.store.audit(in: scope).entries().filter { $0.action == .passwordResetIssued }
        #expect(issued.map(\.authorKind) == ["operator", "operator"] && issued.allSatisfy { $0.subject == made.user.id.text })
        let operators = try await fixture.store.operations.audit().filter { $0.action == .passwordResetIssued }
        #expect(operators.map(\.subject) == [made.user.id.text, made.user.id.text])
    }

    @Test("is refused with what is wrong, for what is no address, no organisation, nobody, and somebody who is shut out")
    func refusals() async throws {
        let fixture = try await Fixture()
        let host = try await fixture.user(.host).principal.user
        for email in ["", "owner", "owner@", "a b@first.example", "owner@first.example\n"] {
            await #expect(throws: PasswordLink.Failure.noAddress, "\(email)") { try await make(fixture, for: email) }
        }
        for slug in ["", "First", "firs", "' OR 1=1 --"] {
            await #expect(throws: PasswordLink.Failure.noOrganization(known: ["first"]), "\(slug)") { try await make(fixture, in: slug) }
        }
        await #expect(throws: PasswordLink.Failure.noUser(in: "first")) { try await make(fixture, for: "nobody@first.example") }
        _ = try await fixture.gate.change(
            host.id, role: nil, displayName: nil, active: false, by: fixture.owner.principal, from: Fixture.origin)
        await #expect(throws: PasswordLink.Failure.shutOut(.host)) { try await make(fixture, for: host.email) }
        #expect(try await fixture.store.operations.audit().allSatisfy { $0.action != .passwordResetIssued })
    }
}
