import Store
import Testing
import Units
import Wire

@testable import Auth

@Suite("A forgotten password")
struct ResetTests {
    private static let new = Secret("another horse")

    /// Asks for a link, and has it sent where there is somebody to send it to.
    private func ask(_ fixture: Fixture, _ email: String, slug: String? = nil) async throws {
        try await fixture.gate.requestReset(email: email, slug: slug, from: Fixture.origin)
        try await carryOut(fixture)
    }

    private func carryOut(_ fixture: Fixture) async throws {
        var waiting = fixture.gate.resets.stream.makeAsyncIterator()
        try await fixture.gate.sendResetLinks(for: try #require(await waiting.next()))
    }

    /// The mails that wait; they are taken by this.
    private func mails(_ fixture: Fixture) async throws -> [NewMail] {
        var found: [NewMail] = []
        for job in try await fixture.store.jobs.claim(holder: "test", for: .seconds(60), limit: 99) {
            if let mail = try await fixture.store.outbox.find(job) { found.append(mail.content) }
            try await fixture.store.jobs.finish(job.id, holder: "test")
        }
        return found
    }

    /// The token of the link in the one mail that waits.
    private func token(_ fixture: Fixture) async throws -> Secret {
        let mails = try await mails(fixture)
        try #require(mails.map(\.purpose) == [.passwordReset])
        let (text, start) = (mails[0].text, "https://live.example.org/reset-password#token=")
        let link = try #require(text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix(start) })
        #expect(mails[0].html.contains("\"\(link)\""))
        return Secret(String(link.dropFirst(start.count)))
    }

    private func reset(_ fixture: Fixture, _ token: Secret, to password: Secret = new) async throws {
        try await fixture.gate.resetPassword(token, to: password, from: Fixture.origin)
    }

    @Test("is replaced by a link from a mail, once, within an hour; every session ends, and its owner is told")
    func replaced() async throws {
        let fixture = try await Fixture()
        try await ask(fixture, "OWNER@first.example")
        let link = try await token(fixture)
        fixture.clock.advance(.seconds(3599))
        await #expect { try await reset(fixture, link, to: Secret("short")) } throws: {
            if case .weakPassword = $0 as? AuthError { true } else { false }
        }
        try await reset(fixture, link)
        await #expect(throws: StoreError.linkRefused) { try await reset(fixture, link, to: Fixture.password) }
        await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.refresh(try #require(fixture.owner.refreshToken)) }
        await #expect(throws: AuthError.badCredentials) { try await fixture.login() }
        _ = try await fixture.login("owner@first.example", Self.new)
        #expect(try await mails(fixture).map(\.purpose) == [.passwordChanged])
        let scope = OrganizationScope(fixture.owner.principal.user.organization, by: .system)
        let entries = try await fixture.store.audit(in: scope).entries()
        let issued = try #require(entries.first { $0.action == .passwordResetIssued })
        #expect(issued.authorKind == "visitor" && issued.author == nil && issued.address == "192.0.2.1")
        #expect(entries.contains { $0.action == .passwordReset && $0.author == fixture.owner.principal.user.id.text })
    }

    @Test("is not replaced by a link that is too old, unknown, or from a time that is not yet")
    func times() async throws {
        let fixture = try await Fixture()
        try await ask(fixture, "owner@first.example")
        let link = try await token(fixture)
        for wrong in ["", "x", String(link.revealed.dropLast()), link.revealed + "A", link.revealed.uppercased()] {
            await #expect(throws: StoreError.linkRefused) { try await reset(fixture, Secret(wrong)) }
        }
        fixture.clock.advance(.seconds(-61))
        await #expect(throws: StoreError.linkRefused) { try await reset(fixture, link) }
        fixture.clock.advance(.seconds(3661))
        await #expect(throws: StoreError.linkRefused) { try await reset(fixture, link) }
        _ = try await fixture.login()
    }

    @Test("is not replaced by a link after a newer one, a new password, or its user's being shut out")
    func ended() async throws {
        let fixture = try await Fixture()
        let host = try await fixture.user(.host)
        let (id, email) = (host.principal.user.id, host.principal.user.email)
        func link() async throws -> Secret {
            fixture.clock.advance(.seconds(1800))
            try await ask(fixture, email)
            return try await token(fixture)
        }
        let (first, second) = (try await link(), try await link())
        await #expect(throws: StoreError.linkRefused) { try await reset(fixture, first) }
        try await reset(fixture, second)
        _ = try await mails(fixture)
        let third = try await link()
        let session = try await fixture.login(email, Self.new).principal
        try await fixture.gate.changePassword(of: session, from: Self.new, to: Fixture.password, at: Fixture.origin)
        await #expect(throws: StoreError.linkRefused) { try await reset(fixture, third) }
        _ = try await mails(fixture)
        let fourth = try await link()
        try await fixture.gate.deactivate(id, by: fixture.owner.principal, from: Fixture.origin)
        await #expect(throws: StoreError.linkRefused) { try await reset(fixture, fourth) }
        // Nobody gets in again by a link: not by the one from before either.
        fixture.clock.advance(.seconds(1800))
        try await ask(fixture, email)
        #expect(try await mails(fixture).isEmpty)
        try await fixture.gate.activate(id, by: fixture.owner.principal, from: Fixture.origin)
        await #expect(throws: StoreError.linkRefused) { try await reset(fixture, fourth) }
    }

    @Test("is asked for by anybody of any address alike, and so often: nobody has looked by then whose it is")
    func alike() async throws {
        let fixture = try await Fixture()
        let host = try await fixture.user(.host)
        try await fixture.gate.deactivate(host.principal.user.id, by: fixture.owner.principal, from: Fixture.origin)
        for (number, email) in ["nobody@first.example", "host@first.example", "owner@first.example", "no address"].enumerated() {
            let origin = Origin(address: "192.0.2.\(number)", userAgent: nil)
            var sent = 0
            for _ in 0..<3 {
                try await fixture.gate.requestReset(email: email, slug: nil, from: origin)
                #expect(try await mails(fixture).isEmpty)
                try await carryOut(fixture)
                sent += try await mails(fixture).count
            }
            #expect(sent == (email == "owner@first.example" ? 3 : 0))
            await #expect(throws: AuthError.tooMany(retryAfter: .seconds(3600))) {
                try await fixture.gate.requestReset(email: email, slug: nil, from: Fixture.origin)
            }
        }
        // One place asks for any address ten times, its neighbours in the same network counted with it.
        for number in 0..<11 {
            let origin = Origin(address: "2001:db8::\(number)", userAgent: nil)
            let request = { try await fixture.gate.requestReset(email: "\(number)@first.example", slug: nil, from: origin) }
            if number < 10 { try await request() } else { await #expect(throws: AuthError.self) { try await request() } }
        }
    }

    @Test("is kept from nobody by requests that name an organisation which is not theirs, or come while too many wait")
    func others() async throws {
        let fixture = try await Fixture()
        let email = "owner@first.example"
        for slug in ["zz", ""] {
            for _ in 0..<3 { try await ask(fixture, email, slug: slug) }
        }
        #expect(try await mails(fixture).isEmpty)
        for slug in [nil, "first"] {
            try await ask(fixture, email, slug: slug)
            #expect(try await mails(fixture).count == 1)
        }
        fixture.clock.advance(.seconds(3600))
        let request = ResetRequest(email: "nobody@first.example", slug: nil, address: "192.0.2.1")
        // try?: until there is no room.
        while (try? fixture.gate.resets.add(request)) != nil {}
        for _ in 0..<11 {
            await #expect(throws: AuthError.busy) { try await fixture.gate.requestReset(email: email, slug: nil, from: Fixture.origin) }
        }
        try await carryOut(fixture)
        try await fixture.gate.requestReset(email: email, slug: nil, from: Fixture.origin)
    }

    @Test("is replaced for logins and changes that are under way too: none that began before leaves anybody signed in")
    func underWay() async throws {
        let fixture = try await Fixture()
        let owner = fixture.owner.principal
        let hash = try #require(try await fixture.store.identities.logins(email: owner.user.email).first?.passwordHash)
        var current = Fixture.password
        for turn in 0..<10 {
            let (old, candidates) = (current, (0..<3).map { Secret("horse \($0) of \(turn)") })
            let (grants, changes) = await withTaskGroup(of: (Grant?, Secret?).self) { group in
                for number in 0..<4 {
                    // try?: those that come after a change are refused.
                    group.addTask { (try? await fixture.login("owner@first.example", old, from: "192.0.2.\(number)"), nil) }
                }
                for new in candidates {
                    group.addTask {
                        do {
                            try await fixture.gate.changePassword(of: owner, from: old, to: new, at: Fixture.origin)
                            return (nil, new)
                        } catch {
                            #expect(error as? AuthError == .wrongPassword)
                            return (nil, nil)
                        }
                    }
                }
                return await group.reduce(into: (grants: [Grant](), changes: [Secret]())) { result, one in
                    if let grant = one.0 { result.grants.append(grant) }
                    if let change = one.1 { result.changes.append(change) }
                }
            }
            for grant in grants {
                await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: grant.accessToken) }
            }
            #expect(changes.count == 1)
            current = try #require(changes.first)
            fixture.clock.advance(.seconds(3600))
        }
        _ = try await fixture.login("owner@first.example", current)
        await #expect(throws: AuthError.badCredentials) { try await fixture.gate.open(owner.user, proven: hash, from: Fixture.origin) }
    }

    @Test("is replaced once by a link that comes twenty times at once")
    func race() async throws {
        let fixture = try await Fixture()
        try await ask(fixture, "owner@first.example")
        let link = try await token(fixture)
        let taken = await withTaskGroup(of: Bool.self) { group in
            // try?: all but one are refused.
            for number in 0..<20 { group.addTask { (try? await reset(fixture, link, to: Secret("password \(number)"))) != nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(taken == 1)
    }

    @Test("of an address with accounts in two organisations is one of each, or of the one that is named")
    func organizations() async throws {
        let fixture = try await Fixture()
        let second = try await fixture.namesake()
        try await ask(fixture, "owner@first.example")
        let both = try await mails(fixture)
        #expect(
            both.count == 2 && both.contains { $0.text.contains(" in First at ") } && both.contains { $0.text.contains(" in Second at ") })
        try await ask(fixture, "owner@first.example", slug: "first")
        try await reset(fixture, try await token(fixture), to: Secret("a third horse"))
        #expect(try await fixture.login("owner@first.example", second).principal.user.displayName == "Same")
    }

    @Test("of a user of a lower role an admin has a link made: sent where mail is, handed over where none is")
    func byAdmin() async throws {
        let fixture = try await Fixture()
        let (admin, second) = (try await fixture.user(.admin).principal, try await fixture.user(.admin, "second@first.example").principal)
        let host = try await fixture.user(.host).principal
        let silent = try await Gate.open(fixture.store, hasher: PasswordHasher(cost: Fixture.cheap))
        for gate in [fixture.gate, silent] {
            func link(_ user: UserID, by principal: Principal) async throws -> Secret? {
                try await gate.resetLink(for: user, by: principal, from: Fixture.origin)
            }
            await #expect(throws: AuthError.notAllowed(.manageUsers)) { try await link(second.user.id, by: admin) }
            await #expect(throws: AuthError.notAllowed(.setPasswords)) { try await link(host.user.id, by: host) }
            await #expect(throws: StoreError.ownerStays) { try await link(fixture.owner.principal.user.id, by: admin) }
        }
        #expect(try await fixture.gate.resetLink(for: host.user.id, by: admin, from: Fixture.origin) == nil)
        try await reset(fixture, try await token(fixture))
        let handed = try #require(try await silent.resetLink(for: host.user.id, by: admin, from: Fixture.origin))
        try await silent.resetPassword(handed, to: Fixture.password, from: Fixture.origin)
        _ = try await fixture.login("host@first.example")
        await #expect(throws: AuthError.sendsNoMail) {
            try await silent.requestReset(email: "host@first.example", slug: nil, from: Fixture.origin)
        }
    }

    @Test("is not replaced by a link that was handed over before its user became somebody whom its maker makes none for")
    func promoted() async throws {
        let fixture = try await Fixture()
        let (admin, host) = (try await fixture.user(.admin).principal, try await fixture.user(.host).principal)
        let silent = try await Gate.open(fixture.store, hasher: PasswordHasher(cost: Fixture.cheap))
        func expectOver(after change: () async throws -> Void) async throws {
            let link = try #require(try await silent.resetLink(for: host.user.id, by: admin, from: Fixture.origin))
            try await change()
            await #expect(throws: StoreError.linkRefused) { try await reset(fixture, link) }
        }
        func setRole(_ role: Role) async throws {
            try await silent.setRole(role, of: host.user.id, by: fixture.owner.principal, from: Fixture.origin)
        }
        try await expectOver { try await setRole(.admin) }
        try await setRole(.host)
        try await expectOver {
            try await silent.transferOwnership(
                to: host.user.id, password: Fixture.password, by: fixture.owner.principal, from: Fixture.origin)
        }
        _ = try await fixture.login("host@first.example")
    }
}
