import Crypto
import Fleet
import Logging
import Store
import Testing
import Units
import Web

@testable import Broadcasts

@Suite("Claims on destinations")
struct DestinationClaimsTests {
    private let first: DestinationID = ID("00000000000000000000000001")!
    private let second: DestinationID = ID("00000000000000000000000002")!

    @Test("nothing is removed or made another kind while it is being given, and nothing given meanwhile", arguments: changes)
    func never(_ change: DestinationClaims.Change) {
        var claims = DestinationClaims()
        #expect(claims.claim([first, second, first]) == nil)
        #expect(claims.claim([first]) == nil)
        claims.release([first, second, first])
        #expect(claims.withhold(first, for: change) == false)
        claims.release([first])
        #expect(claims.withhold(first, for: change) == true)
        let refused = claims.claim([second, first])
        #expect(refused?.destination == first && refused?.change == change)
        #expect(claims.withhold(second, for: change) == true, "what was refused claimed nothing")
        claims.giveBack(first)
        #expect(claims.claim([first]) == nil)
    }

    private static let changes: [DestinationClaims.Change] = [.removal, .kind]

    @Test("of two changes at once the first goes on alone", arguments: changes)
    func once(_ change: DestinationClaims.Change) {
        var claims = DestinationClaims()
        #expect(claims.withhold(first, for: .kind) == true)
        #expect(claims.withhold(first, for: change) == false)
        #expect(claims.claim([first])?.change == .kind)
        claims.giveBack(first)
        #expect(claims.withhold(first, for: change) == true)
    }

    @Test("a destination keeps its kind while a start is being given it: what the start's coding can go to is looked at once")
    func kind() async throws {
        let store = try await ControlStore.open(.memory, keyring: Keyring(), platformVersion: "1.0-test")
        let user = try NewUser(email: "owner@first.example", displayName: "Somebody", passwordHash: Secret("$argon2id$test"))
        let (organization, _) = try await store.organizations.create(name: "First", slug: "first", owner: user, by: .operator)
        let scope = OrganizationScope(organization.id, by: .system)
        let srt = DestinationEndpoint.srt(.init(mode: .caller, host: "a.example", port: 9001))
        let rtmp = DestinationEndpoint.rtmp(.init(tls: false, host: "a.example", port: 1935, application: "live"))
        let show = try await store.destinations(in: scope).create(name: "show", endpoint: srt, secret: nil)
        let (log, feed) = (Log("broadcasts", threshold: .error), Feed())
        let director = BroadcastDirector(
            store: store, fleet: Roster(store: store, feed: feed, log: log), feed: feed, lookups: Lookups(OutboundGuard()), log: log)
        try await director.claim([show.id])
        await #expect(throws: BroadcastDirector.Failure.self) {
            try await director.change(show.id, name: "show", endpoint: rtmp, secret: Secret("key"), in: scope)
        }
        // Where it stays what it is, it may go elsewhere meanwhile.
        let elsewhere = DestinationEndpoint.srt(.init(mode: .caller, host: "b.example", port: 9001))
        #expect(try await director.change(show.id, name: "show", endpoint: elsewhere, secret: nil, in: scope).endpoint == elsewhere)
        await director.letGo([show.id])
        #expect(try await director.change(show.id, name: "show", endpoint: rtmp, secret: Secret("key"), in: scope).endpoint == rtmp)
        try await director.claim([show.id])
    }
}

extension BroadcastDirector {
    fileprivate func letGo(_ destinations: [DestinationID]) { claims.release(destinations) }
}
