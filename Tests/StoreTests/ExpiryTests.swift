import Crypto
import Testing
import Units

@testable import Store

@Suite("What ends")
struct ExpiryTests {
    private static let day = Duration.seconds(86_400)

    @Test(
        "is told of 30, 7 and 1 days before, and what was made for a shorter time than that gets none of it",
        arguments: [
            // Days that are left, days that it is good for, the notice that is due.
            (31, 90, nil), (30, 90, 30), (8, 90, 30), (7, 90, 7), (2, 90, 7), (1, 90, 1), (0, 90, nil), (-1, 90, nil),
            (30, 30, nil), (7, 30, 7), (7, 7, nil), (2, 7, nil), (1, 7, 1), (1, 1, nil),
        ] as [(Int, Int, Int?)])
    func due(_ left: Int, _ life: Int, _ days: Int?) {
        let now = Timestamp(unixMs: 1_800_000_000_000)
        let end = now + Self.day * left
        #expect(Expiry.due(end: end, since: end - Self.day * life, at: now) == days)
    }

    @Test("gives a machine a day to renew it before the first notice, and no more before the others")
    func awaited() {
        let now = Timestamp(unixMs: 1_800_000_000_000)
        for (left, days) in [(30, nil), (29, 30), (7, 7), (1, 1), (0, nil)] as [(Int, Int?)] {
            #expect(Expiry.due(end: now + Self.day * left, since: nil, at: now) == days, "\(left)")
        }
    }

    @Test("an API token's user gets each notice once, and none of a token that was ended")
    func tokens() async throws {
        let fixture = try await Fixture()
        let tokens = fixture.store.apiTokens(in: fixture.scope)
        func make(_ name: String) async throws -> APIToken {
            try await tokens.create(
                Secret(name), name: name, scopes: [.read], lifetime: Self.day * 90, of: fixture.owner.id, proven: Fixture.hash)
        }
        let (_, other) = (try await make("uploader"), try await make("other"))
        try await tokens.end(other.id, of: nil)
        var told: [[String]] = []
        // 59 days after it was made, then 60, 61, 83, 84 and 89.
        for days in [59, 1, 1, 22, 1, 5] {
            fixture.clock.advance(Self.day * days)
            told.append(try await tell(fixture.store))
        }
        let mails = [30, 7, 1].map { ["uploader \($0) owner@first.example"] }
        #expect(told == [[], mails[0], [], mails[1], [], mails[2]])
    }

    @Test("of the server's own things whoever runs the server is told, and nobody of another organisation; a newer one is another one")
    func server() async throws {
        let store = try await ControlStore.open(.memory, keyring: Keyring(), platformVersion: "1.0-test")
        let soon = Timestamp.now + Self.day * 5
        // Nobody runs it yet.
        #expect(try await tell(store, [.certificate: soon]).isEmpty)
        try await store.setup.issue(Secret("setup"))
        _ = try await store.setup.claim(Secret("setup"), name: "House", slug: "house", owner: try Fixture.user("owner@house.example"))
        _ = try await store.organizations.create(
            name: "Other", slug: "other", owner: try Fixture.user("owner@other.example"), by: .operator)
        let all: [Expiry.Credential: Timestamp] = [.certificate: soon, .storeKey: Timestamp.now + Self.day * 20]
        #expect(try await tell(store, all).sorted() == ["certificate 7 owner@house.example", "store_key 30 owner@house.example"])
        #expect(try await tell(store, all).isEmpty)
        let renewed = Timestamp.now + Self.day * 6
        #expect(try await tell(store, [.certificate: renewed]) == ["certificate 7 owner@house.example"])
        // No machine renews a key.
        let month = Timestamp.now + Self.day * 30 - .seconds(3600)
        #expect(try await tell(store, [.certificate: month, .storeKey: month]) == ["store_key 30 owner@house.example"])
        try await store.close()
    }

    /// The mails that are written now: what ends, the notice, and to whom.
    private func tell(_ store: ControlStore, _ ends: [Expiry.Credential: Timestamp] = [:]) async throws -> [String] {
        try await store.expiries.tell(of: ends) { user, expiry in
            let name = expiry.name.isEmpty ? expiry.credential.rawValue : expiry.name
            return NewMail(purpose: .expiry, to: user.email, subject: "\(name) \(expiry.days) \(user.email)", text: "t", html: "h")
        }
        var subjects: [String] = []
        for job in try await store.jobs.claim(.only(Outbox.kind), holder: "a", for: .seconds(60), limit: 99) {
            if let mail = try await store.outbox.find(job) {
                subjects.append(mail.content.subject)
                try await store.outbox.sent(mail)
            }
            try await store.jobs.finish(job.id, holder: "a")
        }
        return subjects
    }
}
