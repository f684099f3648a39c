import Foundation
import SQLite
import Store
import Testing
import Units
import Wire

@testable import Auth

/// Coming in while nothing can be stored.
@Suite struct FullDiskTests {
    @Test("a refresh gives 5 minutes and leaves its token as it is; once there is room it is used up as ever")
    func refresh() async throws {
        try await onFullDisk { fixture, disk in
            let before = fixture.owner.refreshToken
            disk.fail(0..<Int.max)
            for _ in 0..<3 {
                fixture.clock.advance(.seconds(16 * 60))
                await #expect(throws: AuthError.notAuthenticated) {
                    try await fixture.gate.authenticate(bearer: fixture.owner.accessToken)
                }
                let grant = try await fixture.gate.refresh(before!)
                #expect(grant.refreshToken == before && !grant.isStored)
                #expect(grant.accessExpiresAt == fixture.clock.now + .seconds(5 * 60))
                // What it opens can be ended.
                _ = try await fixture.gate.authenticate(bearer: grant.accessToken)
            }
            disk.fail(0..<0)
            let next = try await fixture.gate.refresh(before!)
            #expect(next.refreshToken != before && next.isStored)
            fixture.clock.advance(.seconds(11))
            await #expect(throws: AuthError.tokenReused) { try await fixture.gate.refresh(before!) }
        }
    }

    @Test("a session's refreshes are counted, and nobody's longer life comes from a full disk")
    func bounds() async throws {
        try await onFullDisk { fixture, disk in
            disk.fail(0..<Int.max)
            for _ in 0..<30 { _ = try await fixture.gate.refresh(fixture.owner.refreshToken!) }
            await #expect(throws: AuthError.self) { try await fixture.gate.refresh(fixture.owner.refreshToken!) }
            fixture.clock.advance(.seconds(30 * 86_400 - 60))
            let last = try await fixture.gate.refresh(fixture.owner.refreshToken!)
            #expect(last.accessExpiresAt == fixture.clock.now + .seconds(60))
            fixture.clock.advance(.seconds(60))
            await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.refresh(fixture.owner.refreshToken!) }
            await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: last.accessToken) }
        }
    }

    @Test("a token that was used up ends every session of its user at once, once, and for good when there is room")
    func reuse() async throws {
        try await onFullDisk { fixture, disk in
            let (stolen, second) = (fixture.owner.refreshToken!, try await fixture.login())
            let next = try await fixture.gate.refresh(stolen)
            fixture.clock.advance(.seconds(11))
            disk.fail(0..<Int.max)
            var heard = fixture.gate.revocations().makeAsyncIterator()
            await #expect(throws: AuthError.tokenReused) { try await fixture.gate.refresh(stolen) }
            var ended: Set<Revocation> = []
            for _ in 0..<2 { if let revocation = await heard.next() { ended.insert(revocation) } }
            #expect(try ended == [.session(fixture.owner.principal.session.id), .session(second.principal.session.id)])
            // The user comes in by the password; the thief cannot end that by the same token.
            let back = try await fixture.login()
            await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.refresh(stolen) }
            _ = try await fixture.gate.authenticate(bearer: back.accessToken)
            func expectOut() async {
                for grant in [next, second] {
                    await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: grant.accessToken) }
                    await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.refresh(grant.refreshToken!) }
                }
            }
            await expectOut()
            disk.fail(0..<0)
            await expectOut()
            fixture.clock.advance(.seconds(5))
            await expectOut()
            let scope = OrganizationScope(fixture.owner.principal.user.organization, by: .system)
            #expect(try await fixture.store.sessions(in: scope).open(of: fixture.owner.principal.user.id).isEmpty)
            _ = try await fixture.gate.authenticate(bearer: back.accessToken)
        }
    }

    @Test("a right password gives 15 minutes and no refresh token; it is listed, ended and shut out like any session")
    func login() async throws {
        try await onFullDisk { fixture, disk in
            let host = try await fixture.user(.host)
            disk.fail(0..<Int.max)
            let grant = try await fixture.login()
            #expect(grant.refreshToken == nil && !grant.isStored)
            let principal = try await fixture.gate.authenticate(bearer: grant.accessToken)
            #expect(try await fixture.gate.sessions(of: principal).map(\.id).contains(principal.session.id))
            try await fixture.gate.logOut(principal, from: Fixture.origin)
            await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: grant.accessToken) }

            let again = try await fixture.login()
            fixture.clock.advance(.seconds(15 * 60))
            await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: again.accessToken) }

            // Twenty of a user: the oldest ends.
            let first = try await fixture.login("host@first.example")
            for _ in 0..<20 {
                fixture.clock.advance(.seconds(1))
                _ = try await fixture.login("host@first.example")
            }
            await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: first.accessToken) }
            let last = try await fixture.login("host@first.example")
            // Proven before the disk was full, and another password by then.
            await #expect(throws: AuthError.badCredentials) {
                try await fixture.gate.open(host.principal.user, proven: Secret("before"), from: Fixture.origin)
            }
            disk.fail(0..<0)
            _ = try await fixture.gate.authenticate(bearer: last.accessToken)
            try await fixture.gate.deactivate(host.principal.user.id, by: fixture.owner.principal, from: Fixture.origin)
            await #expect(throws: AuthError.notAuthenticated) { try await fixture.gate.authenticate(bearer: last.accessToken) }
        }
    }

    @Test("wrong passwords are counted by the same limits, those from before too")
    func guesses() async throws {
        try await onFullDisk { fixture, disk in
            for _ in 0..<5 { #expect(try await fixture.guess(from: "192.0.2.9")) }
            disk.fail(0..<Int.max)
            #expect(try await !fixture.guess(from: "192.0.2.9"))
            for _ in 0..<5 { #expect(try await fixture.guess(from: "192.0.2.10")) }
            #expect(try await !fixture.guess(from: "192.0.2.10"))
            // Right ones are taken back.
            for _ in 0..<20 { _ = try await fixture.login(from: "192.0.2.11") }
            fixture.clock.advance(.seconds(61))
            #expect(try await fixture.guess(from: "192.0.2.10"))
        }
    }

    @Test("a right password takes its own attempt back, whatever a full disk left in memory before, and once more where it fills again")
    func stale() async throws {
        try await onFullDisk { fixture, disk in
            disk.fail(0..<Int.max)
            for _ in 0..<5 { #expect(try await fixture.guess(from: "192.0.2.12")) }
            disk.fail(0..<0)
            fixture.clock.advance(.seconds(7200))
            // None of these is a failure; the limit is 5 in a minute.
            for _ in 0..<20 { _ = try await fixture.login(from: "192.0.2.12") }
            for _ in 0..<4 { #expect(try await fixture.guess(from: "192.0.2.12")) }
            _ = try await fixture.login(from: "192.0.2.12")
            // Those failures are the store's, and a right password in memory takes none of them back.
            disk.fail(0..<Int.max)
            for _ in 0..<20 { _ = try await fixture.login(from: "192.0.2.12") }
            disk.fail(0..<0)
            #expect(try await fixture.guess(from: "192.0.2.12"))
            #expect(try await !fixture.guess(from: "192.0.2.12"))
        }
    }

    private func onFullDisk(_ body: (Fixture, FailingDisk) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/strata-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let disk = FailingDisk()
        let fixture = try await Fixture(file: folder + "/strata.db", on: disk.disk)
        try await body(fixture, disk)
        disk.fail(0..<0)
        try await fixture.store.close()
    }
}
