package import Wire

/// What somebody may want to do in their organisation; each route names one. Once shipped a name is never changed.
package enum Action: String, Sendable, Hashable, CaseIterable, Codable {
    case viewOrganization = "organization.view"
    case changeOrganization = "organization.change"
    case deleteOrganization = "organization.delete"
    case transferOwnership = "organization.transfer"
    case viewUsers = "users.view"
    case manageUsers = "users.manage"
    /// Give somebody else a password, or a link to one.
    case setPasswords = "users.set_passwords"
    case manageOwnAccount = "account.manage"
    case viewAudit = "audit.view"
    case viewDiagnostics = "diagnostics.view"
    /// What the organisation did, day by day.
    case viewAnalytics = "analytics.view"
    /// Which pool hosts take new streams; in the organisation alone that the server was set up with, since the pool is everybody's.
    case managePool = "pool.manage"
    case viewSenders = "senders.view"
    /// Enrollment tokens, names, configurations, revocation.
    case manageSenders = "senders.manage"
    /// What keeps a broadcast going: a stuck modem is restarted, a link is measured.
    case operateSenders = "senders.operate"
    case viewDestinations = "destinations.view"
    case manageDestinations = "destinations.manage"
    case viewBroadcasts = "broadcasts.view"
    /// Start, stop and change.
    case runBroadcasts = "broadcasts.run"
    case viewRooms = "rooms.view"
    /// Be in one, with a page.
    case joinRooms = "rooms.join"
    /// Make and remove rooms, and passes into them.
    case runRooms = "rooms.run"
    case viewMeetings = "meetings.view"
    /// Make meetings, and run those that one has made; for admins, all.
    case runMeetings = "meetings.run"
    /// Find recordings, and play them.
    case viewRecordings = "recordings.view"
    /// Remove them.
    case manageRecordings = "recordings.manage"
    /// Where events are told, and telling them again.
    case manageWebhooks = "webhooks.manage"
    /// Where the server's errors are told, and who is told how it is; in the organisation alone that the server was set up with, as it is all of
    /// it.
    case manageReports = "reports.manage"
    /// Which release the organisation's boards have: channels, rollouts, the way back.
    case manageUpdates = "updates.manage"
    /// Which version the server itself has, and the way back; in the organisation alone that it was set up with.
    case manageServer = "server.manage"
}

/// The one table of who may do what (SEC-07).
package enum Policy {
    /// The lowest role that may do it. Source: decisions 'role names': hosts and above run broadcasts, admins manage
    /// senders and destinations.
    package static func lowestRole(for action: Action) -> Role {
        switch action {
        case .deleteOrganization, .transferOwnership, .manageReports, .manageUpdates, .manageServer: .owner
        case .changeOrganization, .viewUsers, .manageUsers, .setPasswords, .viewAudit, .viewDiagnostics, .viewAnalytics, .managePool,
            .manageSenders, .manageDestinations, .manageWebhooks, .manageRecordings:
            .admin
        case .viewDestinations, .operateSenders, .runBroadcasts, .runRooms, .runMeetings: .host
        case .viewOrganization, .manageOwnAccount, .viewSenders, .viewBroadcasts, .viewRooms, .joinRooms, .viewMeetings,
            .viewRecordings:
            .member
        }
    }

    package static func allows(_ role: Role, _ action: Action) -> Bool { role >= lowestRole(for: action) }

    /// The scopes by any of which an API token does it, as far as its user's role may. What has none is for whoever has signed in:
    /// passwords, sessions, tokens, and what an organisation is and whose.
    package static func scopes(for action: Action) -> Set<APITokenScope> {
        switch action {
        case .viewOrganization: Set(APITokenScope.allCases)
        case .viewDiagnostics, .viewAnalytics: [.read]
        case .viewSenders: [.read, .broadcasts, .senders]
        case .manageSenders: [.senders]
        case .operateSenders: [.broadcasts, .senders]
        case .viewDestinations: [.read, .broadcasts, .destinations]
        case .manageDestinations: [.destinations]
        case .viewBroadcasts, .viewRooms, .viewMeetings, .viewRecordings: [.read, .broadcasts]
        case .runBroadcasts, .runRooms, .runMeetings: [.broadcasts]
        case .viewUsers, .manageUsers: [.members]
        case .viewAudit: [.audit]
        case .changeOrganization, .deleteOrganization, .transferOwnership, .setPasswords, .managePool, .manageWebhooks, .manageReports,
            .manageUpdates, .manageServer, .manageOwnAccount, .joinRooms, .manageRecordings:
            []
        }
    }

    /// What a scope is there for: only whoever may do it makes a token with it.
    package static func purpose(of scope: APITokenScope) -> Action {
        switch scope {
        case .read: .viewOrganization
        case .broadcasts: .runBroadcasts
        case .senders: .manageSenders
        case .destinations: .manageDestinations
        case .members: .manageUsers
        case .audit: .viewAudit
        }
    }

    /// Whether `role` may make or unmake a user of role `other`: only below its own rank, so that no admin makes or
    /// removes another, and nobody the owner (ORG-02).
    package static func manages(_ role: Role, _ other: Role) -> Bool {
        allows(role, .manageUsers) && role > other
    }
}
