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
            told.append(try await tell(fixture))
        }
        #expect(told == [[], ["uploader 30"], [], ["uploader 7"], [], ["uploader 1"]])
    }

    /// The subjects of mails that wait.
    private func tell(_ fixture: Fixture) async throws -> [String] {
        try await fixture.store.expiries.tell(of: [:]) { user, expiry in
            NewMail(purpose: .expiry, to: user.email, subject: "\(expiry.name) \(expiry.days)", text: "t", html: "h")
        }
        var subjects: [String] = []
        for job in try await fixture.store.jobs.claim(.only(Outbox.kind), holder: "a", for: .seconds(60), limit: 99) {
            if let mail = try await fixture.store.outbox.find(job) {
                subjects.append(mail.content.subject)
                try await fixture.store.outbox.sent(mail)
            }
            try await fixture.store.jobs.finish(job.id, holder: "a")
        }
        return subjects
    }
}
