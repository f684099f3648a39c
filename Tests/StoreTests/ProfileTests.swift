import Blobs
import Testing
import Units

@testable import Store

@Suite("One's own profile")
struct ProfileTests {
    private func mail(_ purpose: MailPurpose, to address: String) -> NewMail {
        NewMail(purpose: purpose, to: address, subject: "s", text: "t", html: "h")
    }

    private func ask(_ fixture: Fixture, _ email: String, _ secret: String) async throws -> StoreError? {
        try await fixture.store.emailChanges.issue(
            Secret(secret), for: fixture.owner.id, to: email, mail: mail(.emailChange, to: email), in: fixture.scope)
    }

    private func follow(_ fixture: Fixture, _ secret: String) async throws {
        try await fixture.store.emailChanges.redeem(Secret(secret), from: "192.0.2.1") { user, _ in mail(.emailChanged, to: user.email) }
    }

    private func owner(_ fixture: Fixture) async throws -> User {
        try await fixture.store.users(in: fixture.scope).find(fixture.owner.id)
    }

    @Test("has a name and a picture that was uploaded as one, and nobody else's")
    func changed() async throws {
        let fixture = try await Fixture()
        let users = fixture.store.users(in: fixture.scope), files = fixture.store.files(in: fixture.scope)
        let face = BlobKey([1], .png, in: .avatars, of: fixture.organization.id)
        let logo = BlobKey([2], .png, in: .branding, of: fixture.organization.id)
        for key in [face, logo] { try await files.add(key, bytes: 1) }
        let named = try await users.changeProfile(fixture.owner.id, displayName: "Chief", avatar: nil)
        #expect(named.displayName == "Chief" && named.avatar == nil)
        #expect(try await users.changeProfile(fixture.owner.id, displayName: nil, avatar: face.name).avatar == face.name)
        for name in [logo.name, "x", BlobKey([3], .png, in: .avatars, of: fixture.organization.id).name] {
            await #expect(throws: StoreError.self) { try await users.changeProfile(fixture.owner.id, displayName: "Else", avatar: name) }
        }
        #expect(try await owner(fixture).displayName == "Chief", "nothing of what was refused is there")
        // Used: it stays; the other one does not.
        fixture.clock.advance(.seconds(3601))
        try await fixture.store.forgetUnusedFiles()
        #expect(try await fixture.store.unknown(among: [face, logo]) == [logo])
        #expect(try await users.changeProfile(fixture.owner.id, displayName: nil, avatar: "").avatar == nil)
    }

    @Test("is nothing that another organisation sees or changes")
    func strangers() async throws {
        let fixture = try await Fixture()
        let stranger = try await fixture.stranger()
        let missing = [StoreError.missing("user"), .missing("active user")]
        await #expect(throws: missing[0]) {
            try await fixture.store.users(in: stranger).changeProfile(fixture.owner.id, displayName: "xu", avatar: nil)
        }
        await #expect(throws: missing[1]) {
            try await fixture.store.emailChanges.issue(
                Secret("x"), for: fixture.owner.id, to: "x@x.example", mail: mail(.emailChange, to: "x@x.example"), in: stranger)
        }
        #expect(try await owner(fixture).displayName == "Somebody")
    }

    @Test("has another mail address by a link that went there, once and within an hour; the one before is told")
    func email() async throws {
        let fixture = try await Fixture()
        _ = try await fixture.store.passwordResets.issue(Secret("reset"), for: fixture.owner.id, mail: nil, in: fixture.scope)
        #expect(try await ask(fixture, "Chief@First.example", "one") == nil)
        #expect(try await ask(fixture, "boss@first.example", "two") == nil)
        await #expect(throws: StoreError.linkRefused) { try await follow(fixture, "one") }
        await #expect(throws: StoreError.linkRefused) { try await follow(fixture, "nothing") }
        #expect(try await owner(fixture).email == "owner@first.example")
        try await follow(fixture, "two")
        #expect(try await owner(fixture).email == "boss@first.example")
        #expect(try await !fixture.store.passwordResets.accepts(Secret("reset")), "it went to the address before")
        await #expect(throws: StoreError.linkRefused) { try await follow(fixture, "two") }
        let waiting = try await fixture.store.jobs.claim(holder: "a", for: .seconds(60), limit: 99)
        var told: [String] = []
        for job in waiting { if let mail = try await fixture.store.outbox.find(job) { told.append(mail.content.to) } }
        #expect(told == ["owner@first.example"], "a link that was followed is not sent any more")
        #expect(try await ask(fixture, "late@first.example", "three") == nil)
        fixture.clock.advance(.seconds(3600))
        await #expect(throws: StoreError.linkRefused) { try await follow(fixture, "three") }
    }

    @Test("has no address that another user of the organisation has by then, and none of whoever is shut out")
    func taken() async throws {
        let fixture = try await Fixture()
        #expect(try await ask(fixture, "second@first.example", "one") == nil)
        let other = try await fixture.store.users(in: fixture.scope).create(try Fixture.user("second@first.example"), role: .member)
        await #expect(throws: StoreError.taken("email")) { try await follow(fixture, "one") }
        let changes = fixture.store.emailChanges
        _ = try await changes.issue(
            Secret("two"), for: other.id, to: "x@first.example", mail: mail(.emailChange, to: "x@first.example"), in: fixture.scope)
        _ = try await fixture.store.users(in: fixture.scope).deactivate(other.id)
        await #expect(throws: StoreError.linkRefused) { try await follow(fixture, "two") }
        await #expect(throws: StoreError.missing("active user")) {
            try await changes.issue(
                Secret("three"), for: other.id, to: "x@first.example", mail: mail(.emailChange, to: "x@first.example"), in: fixture.scope)
        }
    }
}
