import Store
import Testing
import Units
import Wire

@testable import Auth

@Suite("Registering by an organisation's code")
struct RegistrationTests {
    private static let email = "new@first.example"

    private func settings(_ fixture: Fixture) -> Settings { fixture.store.settings(in: fixture.owner.principal.scope(from: nil)) }

    /// - Returns: the code.
    private func open(_ fixture: Fixture, terms: String? = nil) async throws -> Secret {
        var change = SettingsChange()
        (change.registration, change.terms) = (.open, terms)
        return try #require(try await settings(fixture).change(change, freshCode: RegistrationCode.fresh()).code)
    }

    private func close(_ fixture: Fixture) async throws {
        var change = SettingsChange()
        change.registration = .inviteOnly
        _ = try await settings(fixture).change(change, freshCode: RegistrationCode.fresh())
    }

    private func register(
        _ fixture: Fixture, _ code: Secret, _ email: String = email, agrees: Bool = false, slug: String = "first", by gate: Gate? = nil,
        from address: String = "192.0.2.50"
    ) async throws -> Secret? {
        try await (gate ?? fixture.gate).register(
            slug: slug, code: code, email: email, agrees: agrees, from: Origin(address: address, userAgent: nil))
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

    private func token(_ fixture: Fixture) async throws -> Secret {
        let (mail, start) = (try #require(try await mails(fixture).last), "https://live.example.org/invitation#token=")
        #expect(mail.purpose == .registration && mail.to == Self.email)
        let link = try #require(mail.text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix(start) })
        return Secret(String(link.dropFirst(start.count)))
    }

    private func accept(_ fixture: Fixture, _ token: Secret) async throws -> Grant {
        try await fixture.gate.accept(token, displayName: "New", password: Fixture.password, from: Fixture.origin)
    }

    private func actions(_ fixture: Fixture) async throws -> [AuditAction] {
        try await fixture.store.audit(in: fixture.owner.principal.scope(from: nil)).entries().map(\.action)
    }

    @Test("makes a member of whoever shows it and gets the mail, however they type it; with another code or name nothing is told")
    func registered() async throws {
        let fixture = try await Fixture()
        await #expect(throws: StoreError.codeRefused) { try await register(fixture, RegistrationCode.fresh()) }
        let code = try await open(fixture)
        #expect(code.revealed.wholeMatch(of: #/([2-9A-HJ-NP-Z]{4}-){3}[2-9A-HJ-NP-Z]{4}/#) != nil)
        for typed in [code.revealed, code.revealed.lowercased(), code.revealed.replacing("-", with: ""), " \(code.revealed)\n"] {
            let found = try await fixture.gate.registration(slug: "first", code: Secret(typed), from: Fixture.origin)
            #expect(found.organization.name == "First" && !found.settings.hasTerms)
        }
        let wrong = [code.revealed + "A", String(code.revealed.dropLast()), "", "ı", RegistrationCode.fresh().revealed]
        for typed in wrong {
            await #expect(throws: StoreError.codeRefused, "\(typed)") { try await register(fixture, Secret(typed)) }
        }
        for slug in ["second", "", "FIRST"] {
            await #expect(throws: StoreError.codeRefused) { try await register(fixture, code, slug: slug) }
        }
        #expect(try await register(fixture, code, Self.email.uppercased()) == nil)
        let grant = try await accept(fixture, try await token(fixture))
        #expect(grant.principal.role == .member && grant.principal.user.email == Self.email)
        #expect(try await actions(fixture).contains(.registrationAsked))
    }

    @Test("is closed where nobody has opened it, and with it, or with another code, those are sent away who have not come yet")
    func closed() async throws {
        let fixture = try await Fixture()
        let first = try await open(fixture)
        #expect(try await open(fixture) == first, "it stays as it is")
        _ = try await register(fixture, first)
        let link = try await token(fixture)
        _ = try await fixture.gate.offer(link)
        var change = SettingsChange()
        change.hasNewCode = true
        let second = try #require(try await settings(fixture).change(change, freshCode: RegistrationCode.fresh()).code)
        #expect(second != first)
        await #expect(throws: StoreError.linkRefused) { try await accept(fixture, link) }
        await #expect(throws: StoreError.codeRefused) { try await register(fixture, first) }
        _ = try await register(fixture, second)
        let newer = try await token(fixture)
        // Its mail waits no longer either.
        _ = try await register(fixture, second, "other@first.example")
        try await close(fixture)
        #expect(try await mails(fixture).isEmpty)
        await #expect(throws: StoreError.linkRefused) { try await accept(fixture, newer) }
        await #expect(throws: StoreError.codeRefused) { try await register(fixture, second) }
        #expect(try await settings(fixture).find().code == nil)
    }

    @Test("takes agreement to the terms, where there are any")
    func terms() async throws {
        let fixture = try await Fixture()
        let code = try await open(fixture, terms: "I agree to the house rules")
        let found = try await fixture.gate.registration(slug: "first", code: code, from: Fixture.origin)
        #expect(found.settings.terms == "I agree to the house rules")
        for _ in 0..<4 {
            await #expect { try await register(fixture, code) } throws: {
                if case .invalid(field: "registration.agrees", expected: _) = $0 as? StoreError { true } else { false }
            }
        }
        #expect(try await mails(fixture).isEmpty)
        #expect(try await register(fixture, code, agrees: true) == nil)
        #expect(try await mails(fixture).count == 1)
    }

    @Test("is answered alike for an address that has an account or an invitation, which gets no mail by it and keeps what it has")
    func known() async throws {
        let fixture = try await Fixture()
        let code = try await open(fixture)
        _ = try await fixture.gate.invite(
            [Invite(email: "invited@first.example", role: .host, message: nil)], lifetime: .seconds(3600), by: fixture.owner.principal,
            from: Fixture.origin)
        _ = try await mails(fixture)
        for (index, email) in ["owner@first.example", "invited@first.example"].enumerated() {
            #expect(try await register(fixture, code, email, from: "192.0.2.\(60 + index)") == nil)
        }
        #expect(try await mails(fixture).isEmpty)
        #expect(try await actions(fixture).filter { $0 == .registrationNeedless }.count == 2)
        let invitations = fixture.store.invitations(in: fixture.owner.principal.scope(from: nil))
        #expect(try await invitations.all().map(\.role) == [.host])
        // Nobody's mailbox is filled, and nobody told that there is one.
        for number in 0..<7 {
            #expect(try await register(fixture, code, "often@first.example", from: "192.0.2.\(70 + number)") == nil)
        }
        #expect(try await mails(fixture).count == 1, "each took the one before back")
        #expect(try await actions(fixture).filter { $0 == .registrationAsked }.count == 5)
        #expect(try await actions(fixture).filter { $0 == .mailHeldBack }.count == 1)
        // Whoever asks twice has the newer link; an admin's invitation takes its place.
        _ = try await register(fixture, code)
        let first = try await token(fixture)
        _ = try await register(fixture, code)
        let second = try await token(fixture)
        await #expect(throws: StoreError.linkRefused) { try await fixture.gate.offer(first) }
        #expect(try await fixture.gate.offer(second).invitation.byCode)
        _ = try await fixture.gate.invite(
            [Invite(email: Self.email, role: .admin, message: nil)], lifetime: .seconds(3600), by: fixture.owner.principal,
            from: Fixture.origin)
        await #expect(throws: StoreError.linkRefused) { try await fixture.gate.offer(second) }
    }

    @Test("gives its link to whoever asks where no mail is sent, and says there that an address is taken")
    func withoutMail() async throws {
        let fixture = try await Fixture()
        let silent = try await Gate.open(fixture.store, hasher: PasswordHasher(cost: Fixture.cheap))
        let code = try await open(fixture)
        let token = try #require(try await register(fixture, code, by: silent))
        #expect(try await accept(fixture, token).principal.role == .member)
        await #expect(throws: StoreError.taken("email")) { try await register(fixture, code, by: silent) }
        for wrong in ["a@b\r\nBcc: x@y", "a b@c", "", "ü@example.org"] {
            await #expect(throws: StoreError.self) { try await register(fixture, code, wrong, by: silent) }
        }
        #expect(try await mails(fixture).isEmpty)
    }

    @Test("is asked for three times an hour from one place, where twenty wrong codes are told from right ones")
    func rates() async throws {
        let fixture = try await Fixture()
        let code = try await open(fixture)
        func isTooMany(_ body: () async throws -> Void) async throws -> Bool {
            do {
                try await body()
            } catch AuthError.tooMany {
                return true
            } catch StoreError.codeRefused {
                return false
            }
            return false
        }
        for number in 0..<3 { _ = try await register(fixture, code, "\(number)@first.example") }
        #expect(try await isTooMany { _ = try await register(fixture, code) })
        #expect(try await !isTooMany { _ = try await register(fixture, code, from: "192.0.2.51") })
        for _ in 0..<20 {
            #expect(try await !isTooMany { _ = try await register(fixture, Secret("X"), from: "2001:db8::1") })
        }
        // The right one is not told from the others then, from any address of the same subscriber.
        #expect(try await isTooMany { _ = try await register(fixture, code, from: "2001:db8::2") })
        fixture.clock.advance(.seconds(3601))
        #expect(try await !isTooMany { _ = try await register(fixture, code, "late@first.example", from: "2001:db8::2") })
    }
}
