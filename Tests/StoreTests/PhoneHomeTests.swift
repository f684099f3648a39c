import Crypto
import Testing
import Units
import Wire

@testable import Store

@Suite("Whoever is told how the server is")
struct PhoneHomeTests {
    @Test("is nobody at first, lies sealed, and stands in both audit logs by its host")
    func changes() async throws {
        let fixture = try await Fixture()
        let home = fixture.store.phoneHome
        #expect(try await home.find() == nil)
        let url = Secret("https://home.example.org/key-0123456789")
        try await home.change(to: url, shown: "to home.example.org", in: fixture.scope)
        #expect(try await home.find() == url)
        let sealed: [UInt8]? = try await fixture.store.read { transaction in
            try transaction.shared.first("SELECT sealed FROM server_keys WHERE name = 'phone home'") { try $0["sealed"] }
        }
        #expect(sealed.map { $0.count > url.revealed.utf8.count && !$0.starts(with: Array(url.revealed.utf8)) } == true)
        try await home.change(to: nil, shown: "to nobody", in: fixture.scope)
        #expect(try await home.find() == nil)
        let own = try await fixture.store.audit(in: fixture.scope).entries().filter { $0.action == .phoneHomeChanged }
        let operators = try await fixture.store.operations.audit().filter { $0.action == .phoneHomeChanged }
        for entries in [own, operators] { #expect(entries.map(\.detail) == ["to nobody", "to home.example.org"]) }
    }

    @Test("was told what is written down, as long as snapshots of health are kept; the counts are of all organisations")
    func calls() async throws {
        let fixture = try await Fixture()
        let home = fixture.store.phoneHome
        _ = try await fixture.sender()
        let stranger = try await fixture.stranger()
        _ = try await fixture.store.meetings(in: stranger).create(CreateMeetingRequest(title: "Theirs"))
        #expect(try await home.counts() == ServerCounts(organizations: 2, senders: 1, broadcasts: 0, meetings: 1))
        let stock = ServerStock(organizations: 2, users: 2, senders: 1, meetings: 1, recordings: 0)
        #expect(try await fixture.store.operations.stock() == stock)
        let first = try await home.add(.scheduled, to: "home.example.org", body: "{}", status: 204, fault: nil)
        fixture.clock.advance(.seconds(300))
        let second = try await home.add(.manual, to: "home.example.org", body: "{}", status: nil, fault: "no answer")
        #expect(try await home.calls() == [second, first])
        #expect(try await home.calls(limit: 1) == [second])
        fixture.clock.advance(Retention().health - .seconds(60))
        try await fixture.store.operations.removeExpired()
        #expect(try await home.calls() == [second])
    }

    @Test("goes with the organisation that the server was set up with, and what they were told goes with them")
    func deleted() async throws {
        let house = try await ControlStore.open(.memory, keyring: Keyring(), platformVersion: "1.0-test")
        try await house.setup.issue(Secret("setup"))
        let (organization, owner) = try await house.setup.claim(
            Secret("setup"), name: "House", slug: "house", owner: try Fixture.user("owner@house.example"))
        #expect(try await house.organizations.house() == organization.id)
        let scope = OrganizationScope(organization.id, by: .user(owner.id, address: nil))
        try await house.phoneHome.change(to: Secret("https://home.example.org/"), shown: "to home.example.org", in: scope)
        _ = try await house.phoneHome.add(.manual, to: "home.example.org", body: "{}", status: 200, fault: nil)
        _ = try await house.deletions.begin(in: scope)
        #expect(try await house.phoneHome.find() == nil)
        #expect(try await house.phoneHome.calls().isEmpty)
        try await house.close()
    }
}
