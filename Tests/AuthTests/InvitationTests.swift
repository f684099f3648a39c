import Store
import Testing
import Units
import Wire

@testable import Auth

@Suite("An invitation")
struct InvitationTests {
    private static let week = Duration.seconds(604_800)
    private static let email = "new@first.example"

    private func invite(_ fixture: Fixture, _ email: String = email, as role: Role = .host, by principal: Principal? = nil) async throws
        -> Invitation
    {
        let invites = [Invite(email: email, role: role, message: "Welcome <b>")]
        let made = try await fixture.gate.invite(
            invites, lifetime: Self.week, by: principal ?? fixture.owner.principal, from: Fixture.origin)
        #expect(made.map(\.token) == [nil], "a mail has it, and no admin sees it")
        return try #require(made.first).invitation
    }

    /// Why one alone was not made.
    private func refusal(_ fixture: Fixture, _ email: String = email, as role: Role = .host, by principal: Principal? = nil) async throws
        -> any Error
    {
        do {
            _ = try await invite(fixture, email, as: role, by: principal)
        } catch let faults as EntryFaults {
            return try #require(faults.faults.first).reason
        } catch {
            return error
        }
        throw AuthError.busy
    }

    /// The token in the mail that was posted last.
    private func token(_ fixture: Fixture) async throws -> Secret {
        var found: [NewMail] = []
        for job in try await fixture.store.jobs.claim(holder: "test", for: .seconds(60), limit: 99) {
            if let mail = try await fixture.store.outbox.find(job) { found.append(mail.content) }
            try await fixture.store.jobs.finish(job.id, holder: "test")
        }
        let (mail, start) = (try #require(found.last), "https://live.example.org/invitation#token=")
        #expect(mail.to == Self.email && mail.html.contains("Welcome &lt;b&gt;") && mail.text.contains("Owner (owner@first.example)"))
        let link = try #require(mail.text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix(start) })
        return Secret(String(link.dropFirst(start.count)))
    }

    private func accept(_ fixture: Fixture, _ token: Secret) async throws -> Grant {
        try await fixture.gate.accept(token, displayName: "New", password: Fixture.password, from: Fixture.origin)
    }

    @Test("makes the user that it names, once, who is signed in; its name, address and role are told before")
    func accepted() async throws {
        let fixture = try await Fixture()
        let invitation = try await invite(fixture)
        let link = try await token(fixture)
        let offer = try await fixture.gate.offer(link)
        #expect(offer.organization == "First" && offer.invitation.email == Self.email && offer.invitation.role == .host)
        await #expect { try await fixture.gate.accept(link, displayName: "New", password: Secret("short"), from: Fixture.origin) } throws: {
            if case .weakPassword = $0 as? AuthError { true } else { false }
        }
        fixture.clock.advance(Self.week - .seconds(1))
        let grant = try await accept(fixture, link)
        #expect(grant.principal.role == .host && grant.principal.user.displayName == "New")
        #expect(try await fixture.gate.authenticate(bearer: grant.accessToken).user.email == Self.email)
        _ = try await fixture.login(Self.email)
        for attempt in 0..<2 {
            await #expect(throws: StoreError.linkRefused, "attempt \(attempt)") { try await accept(fixture, link) }
        }
        let scope = OrganizationScope(invitation.organization, by: .system)
        #expect(try await fixture.store.invitations(in: scope).all().isEmpty)
        let actions = try await fixture.store.audit(in: scope).entries().filter { $0.subject == invitation.id.text }.map(\.action)
        #expect(actions == [.invitationAccepted, .invitationCreated])
    }

    @Test("is accepted once when it is twenty times at once")
    func race() async throws {
        let fixture = try await Fixture()
        _ = try await invite(fixture)
        let link = try await token(fixture)
        let taken = await withTaskGroup(of: Bool.self) { group in
            // try?: all but one are refused.
            for _ in 0..<20 { group.addTask { (try? await accept(fixture, link)) != nil } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(taken == 1)
    }

    @Test("is made for lower roles alone, and for an address that gets mails and is nobody's yet")
    func rules() async throws {
        let fixture = try await Fixture()
        let (admin, host) = (try await fixture.user(.admin).principal, try await fixture.user(.host).principal)
        for (role, principal) in [(Role.admin, admin), (.owner, admin), (.owner, fixture.owner.principal), (.member, host)] {
            #expect(try await refusal(fixture, as: role, by: principal) as? AuthError == .notAllowed(.manageUsers), "\(role)")
        }
        #expect(try await refusal(fixture, "HOST@first.example") as? StoreError == .taken("email"))
        for hostile in ["a@b\r\nBcc: x@y", "a@b,c@d", "a b@c", "<a@b>", "ü@example.org", "a@b\u{0}", ""] {
            let refused = try await refusal(fixture, hostile) as? StoreError
            let isByField = if case .invalid(field: "user.email", expected: _)? = refused { true } else { false }
            #expect(isByField, "\(hostile.debugDescription)")
        }
        for message in ["a\nb", "\u{202e}", " ", String(repeating: "x", count: 301)] {
            await #expect(throws: StoreError.self) {
                try await fixture.gate.invite(
                    [Invite(email: Self.email, role: .host, message: message)], lifetime: Self.week, by: admin, from: Fixture.origin)
            }
        }
        _ = try await invite(fixture, as: .admin)
        #expect(try await refusal(fixture, Self.email.uppercased()) as? StoreError == .taken("invitation"))
    }

    @Test("opens nothing once whoever made it could not make it any more, until somebody who may sends it again")
    func makers() async throws {
        let fixture = try await Fixture()
        let admin = try await fixture.user(.admin).principal
        let invitation = try await invite(fixture, by: admin)
        let scope = OrganizationScope(admin.user.organization, by: .system)
        let jobs = try await fixture.store.jobs.claim(holder: "test", for: .seconds(60), limit: 9)
        let job = try #require(jobs.first)
        let mail = try #require(try await fixture.store.outbox.find(job)).content
        let link = Secret(String(try #require(mail.text.split(separator: "#token=").last).prefix { !$0.isWhitespace }))
        _ = try await fixture.gate.offer(link)
        for change in [
            { try await fixture.gate.setRole(.host, of: admin.user.id, by: fixture.owner.principal, from: Fixture.origin) },
            { try await fixture.gate.setRole(.admin, of: admin.user.id, by: fixture.owner.principal, from: Fixture.origin) },
            { try await fixture.gate.deactivate(admin.user.id, by: fixture.owner.principal, from: Fixture.origin) },
        ] {
            try await change()
            let maker = try await fixture.store.users(in: scope).find(admin.user.id)
            if maker.role == .admin, maker.isActive {
                _ = try await fixture.gate.offer(link)
            } else {
                await #expect(throws: StoreError.linkRefused) { try await fixture.gate.offer(link) }
                await #expect(throws: StoreError.linkRefused) { try await accept(fixture, link) }
            }
        }
        _ = try await fixture.gate.renew(invitation.id, lifetime: Self.week, by: fixture.owner.principal, from: Fixture.origin)
        await #expect(throws: StoreError.linkRefused) { try await accept(fixture, link) }
        _ = try await accept(fixture, try await token(fixture))
    }

    @Test("opens nothing after its end, once it was taken back, by an older link, or at a time before it was made")
    func ended() async throws {
        let fixture = try await Fixture()
        let first = try await invite(fixture)
        let old = try await token(fixture)
        _ = try await fixture.gate.renew(first.id, lifetime: Self.week, by: fixture.owner.principal, from: Fixture.origin)
        let link = try await token(fixture)
        await #expect(throws: StoreError.linkRefused) { try await accept(fixture, old) }
        fixture.clock.advance(.seconds(-61))
        await #expect(throws: StoreError.linkRefused) { try await accept(fixture, link) }
        fixture.clock.advance(Self.week + .seconds(61))
        await #expect(throws: StoreError.linkRefused) { try await accept(fixture, link) }
        // What is over is in nobody's way.
        let second = try await invite(fixture)
        let newer = try await token(fixture)
        let admin = try await fixture.user(.admin).principal
        try await fixture.gate.withdraw(second.id, by: admin, from: Fixture.origin)
        await #expect(throws: StoreError.linkRefused) { try await accept(fixture, newer) }
        await #expect(throws: StoreError.missing("open invitation")) {
            try await fixture.gate.renew(second.id, lifetime: Self.week, by: admin, from: Fixture.origin)
        }
        // Nobody meddles with what they could not make.
        let third = try await invite(fixture, as: .admin)
        for act in [
            { try await fixture.gate.withdraw(third.id, by: admin, from: Fixture.origin) },
            { _ = try await fixture.gate.renew(third.id, lifetime: Self.week, by: admin, from: Fixture.origin) },
        ] {
            await #expect(throws: AuthError.notAllowed(.manageUsers)) { try await act() }
        }
    }

    @Test("is one of a list or none is made; where no mail is sent each has its link")
    func lists() async throws {
        let fixture = try await Fixture()
        let silent = try await Gate.open(fixture.store, hasher: PasswordHasher(cost: Fixture.cheap))
        let admin = try await fixture.user(.admin).principal
        func invite(_ entries: [(String, Role)]) async throws -> [MadeInvitation] {
            try await silent.invite(
                entries.map { Invite(email: $0.0, role: $0.1, message: nil) }, lifetime: Self.week, by: admin, from: Fixture.origin)
        }
        let wrong: [[(String, Role)]] = [
            [("a@x", .host), ("b@x", .admin), ("no address", .host)],
            [("a@x", .host), ("admin@first.example", .host), ("A@x", .member), ("b@x", .host)],
        ]
        for entries in wrong {
            await #expect { try await invite(entries) } throws: { ($0 as? EntryFaults)?.faults.map(\.index) == [1, 2] }
        }
        let scope = OrganizationScope(admin.user.organization, by: .system)
        #expect(try await fixture.store.invitations(in: scope).all().isEmpty)
        let made = try await invite([("a@x", .host), ("b@x", .member)])
        #expect(made.count == 2)
        for one in made {
            let grant = try await silent.accept(
                try #require(one.token), displayName: "Xu", password: Fixture.password, from: Fixture.origin)
            #expect(grant.principal.user.email == one.invitation.email && grant.principal.role == one.invitation.role)
        }
    }
}
