import Store
import Testing
import Units

@testable import Auth

@Suite("A new mail address")
struct ProfileTests {
    private func ask(_ fixture: Fixture, _ email: String, _ password: Secret = Fixture.password) async throws {
        try await fixture.gate.requestEmail(email, password: password, by: fixture.owner.principal, from: Fixture.origin)
    }

    /// The mails that wait.
    private func mails(_ fixture: Fixture) async throws -> [NewMail] {
        var found: [NewMail] = []
        for job in try await fixture.store.jobs.claim(holder: "test", for: .seconds(60), limit: 99) {
            if let mail = try await fixture.store.outbox.find(job) { found.append(mail.content) }
            try await fixture.store.jobs.finish(job.id, holder: "test")
        }
        return found
    }

    @Test("takes the password and the link that went there; who signs in does it by the new one from then on, and the old one is told")
    func confirmed() async throws {
        let fixture = try await Fixture()
        await #expect(throws: AuthError.wrongPassword) { try await ask(fixture, "chief@first.example", Secret("not the password")) }
        #expect(try await mails(fixture).isEmpty)
        try await ask(fixture, "chief@first.example")
        let mail = try #require(try await mails(fixture).first)
        let start = "https://live.example.org/confirm-email#token="
        #expect(mail.to == "chief@first.example" && mail.purpose == .emailChange)
        let link = try #require(mail.text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix(start) })
        _ = try await fixture.login()
        let token = Secret(String(link.dropFirst(start.count)))
        try await fixture.gate.confirmEmail(token, from: Fixture.origin)
        await #expect(throws: StoreError.linkRefused) { try await fixture.gate.confirmEmail(token, from: Fixture.origin) }
        await #expect(throws: AuthError.badCredentials) { try await fixture.login() }
        _ = try await fixture.login("chief@first.example", Fixture.password)
        #expect(try await mails(fixture).map(\.to) == ["owner@first.example"])
    }

    @Test("is asked for five times an hour; what can be no address is none of them")
    func limits() async throws {
        let fixture = try await Fixture()
        for email in ["x", "a@b@c", "a b@example.org", "a@example.org\r\nBcc: b@example.org"] {
            await #expect(throws: StoreError.self) { try await ask(fixture, email) }
        }
        for number in 0..<5 { try await ask(fixture, "\(number)@first.example") }
        await #expect { try await ask(fixture, "6@first.example") } throws: {
            if case .tooMany = $0 as? AuthError { true } else { false }
        }
    }
}
