import Auth
import Store
import Testing
import Units
import Wire

@Suite struct PolicyTests {
    /// Every action with the roles that may do it: written out, so that no change of the table goes unseen.
    private static let table: [(Action, Set<Role>)] = [
        (.viewOrganization, [.owner, .admin, .host, .member]),
        (.changeOrganization, [.owner, .admin]),
        (.deleteOrganization, [.owner]),
        (.transferOwnership, [.owner]),
        (.viewUsers, [.owner, .admin]),
        (.manageUsers, [.owner, .admin]),
        (.setPasswords, [.owner, .admin]),
        (.manageOwnAccount, [.owner, .admin, .host, .member]),
        (.viewAudit, [.owner, .admin]),
        (.viewDiagnostics, [.owner, .admin]),
        (.viewAnalytics, [.owner, .admin]),
        (.managePool, [.owner, .admin]),
        (.viewSenders, [.owner, .admin, .host, .member]),
        (.manageSenders, [.owner, .admin]),
        (.operateSenders, [.owner, .admin, .host]),
        (.viewDestinations, [.owner, .admin, .host]),
        (.manageDestinations, [.owner, .admin]),
        (.viewBroadcasts, [.owner, .admin, .host, .member]),
        (.runBroadcasts, [.owner, .admin, .host]),
        (.viewRooms, [.owner, .admin, .host, .member]),
        (.joinRooms, [.owner, .admin, .host, .member]),
        (.runRooms, [.owner, .admin, .host]),
        (.viewMeetings, [.owner, .admin, .host, .member]),
        (.runMeetings, [.owner, .admin, .host]),
        (.viewRecordings, [.owner, .admin, .host, .member]),
        (.manageRecordings, [.owner, .admin]),
        (.manageWebhooks, [.owner, .admin]),
        (.manageReports, [.owner]),
        (.manageUpdates, [.owner]),
        (.manageServer, [.owner]),
    ]

    @Test("each role may do exactly the listed actions")
    func exhaustive() {
        #expect(Set(Self.table.map(\.0)) == Set(Action.allCases))
        for (action, roles) in Self.table {
            for role in Role.allCases { #expect(Policy.allows(role, action) == roles.contains(role), "\(role) \(action)") }
        }
    }

    /// What each scope of an API token allows beside seeing the organisation, which all do; what is in none takes a session.
    private static let scopes: [APITokenScope: Set<Action>] = [
        .read: [
            .viewSenders, .viewDestinations, .viewBroadcasts, .viewRooms, .viewMeetings, .viewRecordings, .viewDiagnostics, .viewAnalytics,
        ],
        .broadcasts: [
            .viewSenders, .viewDestinations, .viewBroadcasts, .viewRooms, .viewMeetings, .runBroadcasts, .runRooms, .runMeetings,
            .operateSenders, .viewRecordings,
        ],
        .senders: [.viewSenders, .manageSenders, .operateSenders],
        .destinations: [.viewDestinations, .manageDestinations],
        .members: [.viewUsers, .manageUsers],
        .audit: [.viewAudit],
    ]

    @Test("each scope allows exactly the listed actions, and is for whoever may do what it is there for")
    func tokenScopes() {
        for scope in APITokenScope.allCases {
            let allowed = Set(Action.allCases.filter { Policy.scopes(for: $0).contains(scope) })
            #expect(allowed == Self.scopes[scope]?.union([.viewOrganization]), "\(scope)")
            #expect(allowed.contains(Policy.purpose(of: scope)), "\(scope)")
        }
        let mayMake = { (role: Role) in Set(APITokenScope.allCases.filter { Policy.allows(role, Policy.purpose(of: $0)) }) }
        #expect(mayMake(.member) == [.read] && mayMake(.host) == [.read, .broadcasts])
        for role in [Role.admin, .owner] { #expect(mayMake(role) == Set(APITokenScope.allCases)) }
    }

    @Test("only whoever manages users makes or changes one, and only below the own rank")
    func managing() {
        let allowed: Set<[Role]> = [[.owner, .admin], [.owner, .host], [.owner, .member], [.admin, .host], [.admin, .member]]
        for role in Role.allCases {
            for other in Role.allCases { #expect(Policy.manages(role, other) == allowed.contains([role, other])) }
        }
    }

    @Test("a scope is given for an allowed action only")
    func scopes() async throws {
        let fixture = try await Fixture()
        for role in [Role.admin, .host, .member] {
            let principal = try await fixture.user(role).principal
            for action in Action.allCases {
                if Policy.allows(role, action) {
                    #expect(try principal.scope(for: action, from: nil).organization == principal.user.organization)
                } else {
                    #expect(throws: AuthError.notAllowed(action)) { try principal.scope(for: action, from: nil) }
                }
            }
        }
    }

    @Test("no admin makes, changes or removes an admin or the owner; the owner stays the owner until the transfer")
    func hierarchy() async throws {
        let fixture = try await Fixture()
        let gate = fixture.gate
        let admin = try await fixture.user(.admin).principal
        let second = try await fixture.user(.admin, "second@first.example").principal
        let host = try await fixture.user(.host).principal
        let owner = fixture.owner.principal
        let origin = Fixture.origin
        await #expect(throws: AuthError.notAllowed(.manageUsers)) {
            try await gate.setRole(.admin, of: host.user.id, by: admin, from: origin)
        }
        await #expect(throws: AuthError.notAllowed(.manageUsers)) { try await gate.deactivate(second.user.id, by: admin, from: origin) }
        await #expect(throws: StoreError.ownerStays) { try await gate.deactivate(owner.user.id, by: admin, from: origin) }
        for other in [second, admin] {
            await #expect(throws: AuthError.notAllowed(.manageUsers)) { try await gate.remove(other.user.id, by: admin, from: origin) }
        }
        for asker in [admin, owner] {
            await #expect(throws: StoreError.ownerStays) { try await gate.remove(owner.user.id, by: asker, from: origin) }
        }
        await #expect(throws: AuthError.notAllowed(.manageUsers)) { try await gate.remove(second.user.id, by: host, from: origin) }
        await #expect(throws: StoreError.ownerStays) { try await gate.setRole(.member, of: owner.user.id, by: owner, from: origin) }
        await #expect(throws: AuthError.notAllowed(.manageUsers)) { try await gate.endSessions(of: admin.user.id, by: host, from: origin) }
        await #expect(throws: AuthError.notAllowed(.transferOwnership)) {
            try await gate.transferOwnership(to: admin.user.id, password: Fixture.password, by: admin, from: origin)
        }
        try await gate.transferOwnership(to: admin.user.id, password: Fixture.password, by: owner, from: origin)
        #expect(try await gate.authenticate(bearer: fixture.owner.accessToken).role == .admin)
    }

    @Test("a stolen session hands the organisation to nobody: that takes the owner's password, and guesses are counted")
    func stolenSession() async throws {
        let fixture = try await Fixture()
        let (gate, owner) = (fixture.gate, fixture.owner.principal)
        let admin = try await fixture.user(.admin).principal
        func transfer(_ password: Secret) async throws {
            try await gate.transferOwnership(to: admin.user.id, password: password, by: owner, from: Fixture.origin)
        }
        for _ in 0..<5 { await #expect(throws: AuthError.wrongPassword) { try await transfer(Secret("a guess")) } }
        await #expect { try await transfer(Fixture.password) } throws: { if case .tooMany = $0 as? AuthError { true } else { false } }
        #expect(try await gate.authenticate(bearer: fixture.owner.accessToken).role == .owner)
        fixture.clock.advance(.seconds(60))
        try await transfer(Fixture.password)
        #expect(try await gate.authenticate(bearer: fixture.owner.accessToken).role == .admin)
    }
}
