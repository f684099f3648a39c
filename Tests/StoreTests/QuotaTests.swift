import Testing
import Units
import Wire

@testable import Store

@Suite("Quotas")
struct QuotaTests {
    private func fixture(_ quota: Quota, _ limit: Int) async throws -> Fixture {
        var quotas = Quotas()
        quotas[quota] = limit
        return try await Fixture(quotas: quotas)
    }

    @Test("each organisation has its own, what is over does not count, and one more is refused by the quota's name")
    func destinations() async throws {
        let fixture = try await fixture(.destinations, 2)
        let destinations = fixture.store.destinations(in: fixture.scope)
        let endpoint = try #require(DestinationEndpoint.preset(.twitch))
        func add(_ name: String) async throws -> Destination {
            try await destinations.create(name: name, endpoint: endpoint, secret: Secret("k"))
        }
        let first = try await add("a")
        _ = try await add("b")
        let full = StoreError.quota(.destinations, limit: 2)
        await #expect(throws: full) { try await add("c") }
        #expect(full.description == "all 2 destinations are in use (quotas.destinations = 2)")
        _ = try await fixture.store.destinations(in: fixture.stranger()).create(name: "a", endpoint: endpoint, secret: Secret("k"))
        try await destinations.remove(first.id)
        _ = try await add("c")
        await #expect(throws: full) { try await add("d") }
    }

    @Test("many at once never exceed it")
    func race() async throws {
        let fixture = try await fixture(.destinations, 3)
        let endpoint = try #require(DestinationEndpoint.preset(.twitch))
        let made = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let destinations = fixture.store.destinations(in: fixture.scope)
                    return (try? await destinations.create(name: "\(number)", endpoint: endpoint, secret: Secret("k"))) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 3)
    }

    @Test("users who are shut out make room, and come back only into room")
    func users() async throws {
        let fixture = try await fixture(.users, 2)
        let users = fixture.store.users(in: fixture.scope)
        let second = try await users.create(try Fixture.user("b@first.example"), role: .host)
        await #expect(throws: StoreError.quota(.users, limit: 2)) {
            try await users.create(try Fixture.user("c@first.example"), role: .host)
        }
        _ = try await users.deactivate(second.id)
        let third = try await users.create(try Fixture.user("c@first.example"), role: .host)
        await #expect(throws: StoreError.quota(.users, limit: 2)) { try await users.activate(second.id) }
        try await users.activate(third.id)
    }

    @Test("invitations that are over, taken back or accepted make room; one for which there is no room as a user stays good")
    func invitations() async throws {
        var quotas = Quotas()
        quotas[.invitations] = 1
        quotas[.users] = 2
        let fixture = try await Fixture(quotas: quotas)
        func accept(_ email: String) async throws -> User {
            try await fixture.store.identities.accept(
                Secret(email), displayName: "Xu", passwordHash: Secret("x"), by: { $0 == .owner && $1 == .host }, from: "a")
        }
        let first = try await fixture.invite("a@x")
        await #expect { try await fixture.invite("b@x") } throws: {
            ($0 as? EntryFaults)?.faults.map { $0.reason as? StoreError } == [.quota(.invitations, limit: 1)]
        }
        try await fixture.store.invitations(in: fixture.scope).withdraw(first.id)
        let second = try await accept(try await fixture.invite("b@x").email)
        _ = try await fixture.invite("c@x")
        await #expect(throws: StoreError.quota(.users, limit: 2)) { try await accept("c@x") }
        _ = try await fixture.store.users(in: fixture.scope).deactivate(second.id)
        #expect(try await accept("c@x").role == .host)
        _ = try await fixture.invite("d@x")
        fixture.clock.advance(.seconds(3600))
        _ = try await fixture.invite("d@x", secret: "another")
        // What is over for a month is gone.
        let count = { try await fixture.store.read { try $0.count(of: .invitations, in: fixture.scope, where: "TRUE") } }
        #expect(try await count() == 5)
        fixture.clock.advance(.seconds(31 * 86_400))
        try await fixture.store.operations.removeExpired()
        #expect(try await count() == 0)
    }

    @Test("tokens that are spent, withdrawn or expired make room")
    func tokens() async throws {
        let fixture = try await fixture(.enrollmentTokens, 1)
        let tokens = fixture.store.enrollmentTokens(in: fixture.scope)
        func make(_ secret: String) async throws -> StoredToken {
            try await tokens.create(Secret(secret), label: "board", lifetime: .seconds(60))
        }
        let first = try await make("1")
        await #expect(throws: StoreError.quota(.enrollmentTokens, limit: 1)) { try await make("2") }
        try await tokens.withdraw(first.id)
        _ = try await make("2")
        fixture.clock.advance(.seconds(61))
        _ = try await make("3")
        _ = try await fixture.store.identities.redeem(Secret("3"), publicKey: [UInt8](repeating: 1, count: 32), name: "x", kind: .sender)
        _ = try await make("4")
    }

    @Test("API tokens that are ended or over make room, and each user has their own")
    func apiTokens() async throws {
        let fixture = try await fixture(.apiTokens, 1)
        let tokens = fixture.store.apiTokens(in: fixture.scope)
        let first = try await fixture.apiToken("1")
        await #expect(throws: StoreError.quota(.apiTokens, limit: 1)) { try await fixture.apiToken("2") }
        let other = try await fixture.store.users(in: fixture.scope).create(try Fixture.user("b@x"), role: .member)
        _ = try await tokens.create(
            Secret("b"), name: "token", scopes: [.read], lifetime: .seconds(60), of: other.id, proven: Fixture.hash)
        try await tokens.end(first.id, of: fixture.owner.id)
        _ = try await fixture.apiToken("2")
        fixture.clock.advance(.seconds(3600))
        _ = try await fixture.apiToken("3")
    }

    @Test("a revoked sender makes room, and a token that finds none stays good")
    func senders() async throws {
        let fixture = try await fixture(.senders, 1)
        let first = try await fixture.sender()
        let token = Secret("later")
        _ = try await fixture.store.enrollmentTokens(in: fixture.scope).create(token, label: "b", lifetime: .seconds(60))
        let key = [UInt8](repeating: 2, count: 32)
        await #expect(throws: StoreError.quota(.senders, limit: 1)) {
            try await fixture.store.identities.redeem(token, publicKey: key, name: "b", kind: .sender)
        }
        try await fixture.store.devices(in: fixture.scope).revoke(first.id)
        _ = try await fixture.store.identities.redeem(token, publicKey: key, name: "b", kind: .sender)
        // The operator's pool hosts are nobody's senders.
        _ = try await fixture.pool()
    }

    @Test("broadcasts that are over make room")
    func broadcasts() async throws {
        let fixture = try await fixture(.broadcasts, 1)
        let (first, second) = (try await fixture.sender("a"), try await fixture.sender("b"))
        let broadcasts = fixture.store.broadcasts(in: fixture.scope)
        func start(_ id: String, _ sender: Device) async throws {
            try await broadcasts.create(
                try #require(BroadcastID(id)), sender: sender.id, state: "starting", document: "{}", streamKey: Secret("k"))
        }
        try await start("00000000000000000000000001", first)
        await #expect(throws: StoreError.quota(.broadcasts, limit: 1)) { try await start("00000000000000000000000002", second) }
        try await broadcasts.save(try #require(BroadcastID("00000000000000000000000001")), state: "ended", document: "{}", hasEnded: true)
        try await start("00000000000000000000000002", second)
    }

    @Test("a login beyond it ends the one that was used longest ago")
    func sessions() async throws {
        let fixture = try await fixture(.sessions, 2)
        func open(_ token: String) async throws -> (session: AuthSession, ended: [SessionID]) {
            fixture.clock.advance(.seconds(1))
            return try await fixture.store.identities.openSession(
                for: fixture.owner, proven: Fixture.hash, token: Secret(token), lifetime: .seconds(3600), address: nil, userAgent: nil)
        }
        let (first, second) = (try await open("1").session, try await open("2").session)
        // The first is used again, so the second has to go.
        fixture.clock.advance(.seconds(1))
        _ = try await fixture.store.identities.rotate(Secret("1"), to: Secret("1 b"), lifetime: .seconds(3600), grace: .seconds(10))
        let third = try await open("3")
        #expect(third.ended == [second.id])
        #expect(try await fixture.store.identities.account(session: first.id) != nil)
        #expect(try await fixture.store.identities.account(session: second.id) == nil)
    }

    @Test("one address gets so many mails of a kind a day, whatever others get; what nobody was told of is done, and in the audit log once")
    func mails() async throws {
        let fixture = try await fixture(.mails, 1)
        let (store, scope) = (fixture.store, fixture.scope)
        let users = store.users(in: scope)
        let other = try await users.create(try Fixture.user("b@first.example"), role: .host)
        func mail(_ purpose: MailPurpose, to user: User) -> NewMail {
            NewMail(purpose: purpose, to: user.email, subject: "s", text: "t", html: "h")
        }
        func tell(_ user: User, _ hash: String) async throws {
            let old = try #require(try await users.passwordHash(user.id))
            _ = try await users.setPassword(user.id, from: old, to: Secret(hash), notice: mail(.passwordChanged, to: user))
        }
        func heldBack() async throws -> [String] {
            try await store.audit(in: scope).entries(limit: 1000).filter { $0.action == .mailHeldBack }.compactMap(\.detail)
        }
        for number in 0..<13 { try await tell(fixture.owner, "\(number)") }
        #expect(try await heldBack() == ["password_changed: \(StoreError.enoughMails(limit: 10))"])
        #expect(try await users.passwordHash(fixture.owner.id) == Secret("12"))
        for number in 0..<3 { try await tell(other, "\(number)") }
        #expect(try await store.jobs.claim(holder: "a", for: .seconds(1), limit: 99).count == 13)
        // Another kind, and another organisation, have their own.
        for number in 0..<147 {
            let refusal = try await store.passwordResets.issue(
                Secret("\(number)"), for: fixture.owner.id, mail: mail(.passwordReset, to: fixture.owner), in: scope)
            #expect(refusal == (number < 144 ? nil : .enoughMails(limit: 144)))
        }
        #expect(try await heldBack().count == 2)
        let (stranger, notice) = (try await fixture.stranger(), mail(.passwordChanged, to: fixture.owner))
        try await store.write { try $0.admitMail(notice, by: store.quotas, in: stranger) }
        fixture.clock.advance(.seconds(86_401))
        for number in 0..<10 { try await tell(fixture.owner, "\(number)") }
        #expect(try await heldBack().count == 2)
        for number in 0..<2 { try await tell(fixture.owner, "\(number)") }
        #expect(try await heldBack().count == 3)
    }

    @Test("an organisation sends so many invitations a day, and one that is over comes back only into room")
    func invitationMails() async throws {
        var quotas = Quotas()
        (quotas[.mails], quotas[.invitations]) = (2, 2)
        let fixture = try await Fixture(quotas: quotas)
        let invitations = fixture.store.invitations(in: fixture.scope)
        func mail(_ email: String) -> NewMail { NewMail(purpose: .invitation, to: email, subject: "s", text: "t", html: "h") }
        func invite(_ email: String) async throws -> Invitation {
            let new = try NewInvitation(email: email, role: .host, message: nil, secret: Secret(email), mail: mail)
            return try await invitations.create([new], lifetime: .seconds(3600))[0]
        }
        let (first, second) = (try await invite("a@x"), try await invite("b@x"))
        fixture.clock.advance(.seconds(3600))
        await #expect { try await invite("c@x") } throws: {
            ($0 as? EntryFaults)?.faults.map { $0.reason as? StoreError } == [.quota(.mails, limit: 2)]
        }
        func renew(_ invitation: Invitation, _ secret: String, mail: NewMail? = nil) async throws {
            _ = try await invitations.renew(invitation.id, Secret(secret), mail: mail, lifetime: .seconds(3600))
        }
        await #expect(throws: StoreError.quota(.mails, limit: 2)) { try await renew(first, "1", mail: mail("a@x")) }
        let third = try await fixture.invite("c@x")
        try await renew(first, "2")
        await #expect(throws: StoreError.quota(.invitations, limit: 2)) { try await renew(second, "3") }
        // It takes no second place.
        try await renew(first, "4")
        try await invitations.withdraw(third.id)
        try await renew(second, "5")
    }

    @Test("of a sender's configurations the newest are kept, and their numbers go on")
    func configurations() async throws {
        let fixture = try await fixture(.configurations, 3)
        let sender = try await fixture.sender()
        let configurations = fixture.store.configurations(in: fixture.scope)
        for number in 1...5 { #expect(try await configurations.save("# \(number)", for: sender.id).version == number) }
        #expect(try await configurations.history(of: sender.id).map(\.version) == [5, 4, 3])
    }
}
