import Crypto
import Testing
import Units

@testable import Store

@Suite("Where errors are told")
struct ErrorTrackingTests {
    @Test("is nowhere at first, is sealed, and stands in both audit logs without its key")
    func changes() async throws {
        let fixture = try await Fixture()
        let tracking = fixture.store.errorTracking
        #expect(try await tracking.find() == nil)
        let dsn = Secret("https://abc@errors.example.org/4")
        try await tracking.change(to: dsn, shown: "to errors.example.org", by: fixture.scope)
        #expect(try await tracking.find() == dsn)
        let sealed: [UInt8]? = try await fixture.store.read { transaction in
            try transaction.shared.first("SELECT sealed FROM server_keys WHERE name = 'error tracking'") { try $0["sealed"] }
        }
        #expect(sealed.map { $0.count > dsn.revealed.utf8.count && !$0.starts(with: Array(dsn.revealed.utf8)) } == true)
        try await tracking.change(to: Secret("https://def@errors.example.org/5"), shown: "to another", by: nil)
        #expect(try await tracking.find()?.revealed.hasSuffix("/5") == true)
        try await tracking.change(to: nil, shown: "to nobody", by: nil)
        #expect(try await tracking.find() == nil)
        let own = try await fixture.store.audit(in: fixture.scope).entries().filter { $0.action == .errorTrackingChanged }
        #expect(own.map(\.detail) == ["to errors.example.org"])
        let operators = try await fixture.store.operations.audit().filter { $0.action == .errorTrackingChanged }
        #expect(operators.map(\.detail) == ["to nobody", "to another", "to errors.example.org"])
    }

    @Test("is forgotten with the organisation that the server was set up with, and with no other")
    func deleted() async throws {
        let fixture = try await Fixture()
        let store = fixture.store
        let dsn = Secret("https://abc@errors.example.org/4")
        try await store.errorTracking.change(to: dsn, shown: "to errors.example.org", by: nil)
        _ = try await store.deletions.begin(in: fixture.scope)
        #expect(try await store.errorTracking.find() == dsn)
        let house = try await ControlStore.open(.memory, keyring: Keyring(), platformVersion: "1.0-test")
        try await house.setup.issue(Secret("setup"))
        let (organization, owner) = try await house.setup.claim(
            Secret("setup"), name: "House", slug: "house", owner: try Fixture.user("owner@house.example"))
        let scope = OrganizationScope(organization.id, by: .user(owner.id, address: nil))
        try await house.errorTracking.change(to: dsn, shown: "to errors.example.org", by: scope)
        _ = try await house.deletions.begin(in: scope)
        #expect(try await house.errorTracking.find() == nil)
        try await house.close()
    }
}
