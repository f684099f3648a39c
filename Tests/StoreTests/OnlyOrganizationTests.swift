import Testing

@testable import Store

@Suite("The only organisation")
struct OnlyOrganizationTests {
    @Test("is the one that there is, and none where there is another one")
    func only() async throws {
        let fixture = try await Fixture()
        #expect(try await fixture.store.organizations.only()?.id == fixture.organization.id)
        _ = try await fixture.stranger()
        #expect(try await fixture.store.organizations.only() == nil)
    }
}
