import SQLite
package import Units

extension Kind {
    package enum Audit {}
    package enum Job {}
}

/// What is written down; once shipped a name is never changed.
package enum AuditAction: String, ColumnValue, Codable, CaseIterable {
    case organizationCreated = "organization.created"
    case organizationDeleted = "organization.deleted"
    case organizationRenamed = "organization.renamed"
    case settingsChanged = "organization.settings_changed"
    case brandingChanged = "organization.branding_changed"
    case wordingChanged = "organization.wording_changed"
    case meetingDefaultsChanged = "organization.meeting_settings_changed"
    case slateChanged = "slate.changed"
    case slateRemoved = "slate.removed"
    case roomCreated = "room.created"
    case roomRemoved = "room.removed"
    case meetingCreated = "meeting.created"
    case meetingChanged = "meeting.changed"
    case meetingStarted = "meeting.started"
    case meetingEnded = "meeting.ended"
    case meetingCancelled = "meeting.cancelled"
    case guestLinkCreated = "meeting.guest_link_created"
    case guestLinkWithdrawn = "meeting.guest_link_withdrawn"
    /// Somebody has come by it.
    case guestLinkUsed = "meeting.guest_link_used"
    case userCreated = "user.created"
    case userRenamed = "user.renamed"
    case userRoleChanged = "user.role_changed"
    case userActivated = "user.activated"
    case userDeactivated = "user.deactivated"
    case userRemoved = "user.removed"
    case avatarChanged = "user.avatar_changed"
    case alertsChanged = "user.alerts_changed"
    case emailChangeAsked = "user.email_change_asked"
    case emailChanged = "user.email_changed"
    case userPasswordChanged = "user.password_changed"
    case passwordResetIssued = "user.password_reset_issued"
    case passwordReset = "user.password_reset"
    case invitationCreated = "invitation.created"
    case invitationRenewed = "invitation.renewed"
    case invitationWithdrawn = "invitation.withdrawn"
    case invitationAccepted = "invitation.accepted"
    case registrationAsked = "registration.asked"
    /// Of an address that is a user's, or that somebody has invited.
    case registrationNeedless = "registration.needless"
    case apiTokenCreated = "api_token.created"
    case apiTokenEnded = "api_token.ended"
    case ownershipTransferred = "organization.ownership_transferred"
    case loggedIn = "session.opened"
    case sessionEnded = "session.ended"
    case tokenReused = "session.token_reused"
    case enrollmentTokenCreated = "enrollment.created"
    case enrollmentTokenWithdrawn = "enrollment.withdrawn"
    case deviceEnrolled = "device.enrolled"
    case deviceRenamed = "device.renamed"
    case deviceRevoked = "device.revoked"
    case deviceFlagged = "device.flagged"
    case deviceRenewed = "device.renewed"
    case deviceConfigured = "device.configured"
    case hostDrained = "host.drained"
    case hostTakenBack = "host.taken_back"
    case modemReset = "device.modem_reset"
    case speedTested = "device.speed_tested"
    /// Which releases a board follows.
    case channelChanged = "device.channel_changed"
    case rolloutCreated = "rollout.created"
    case rolloutChanged = "rollout.changed"
    case destinationCreated = "destination.created"
    case destinationChanged = "destination.changed"
    case destinationRemoved = "destination.removed"
    case destinationTested = "destination.tested"
    case broadcastStarted = "broadcast.started"
    case broadcastChanged = "broadcast.changed"
    case broadcastStopped = "broadcast.stopped"
    case broadcastEnded = "broadcast.ended"
    case rehearsalStarted = "rehearsal.started"
    case rehearsalStopped = "rehearsal.stopped"
    case rehearsalEnded = "rehearsal.ended"
    case outputAdded = "broadcast.output_added"
    case outputRemoved = "broadcast.output_removed"
    /// A link by which players outside take a broadcast.
    case playerLinkCreated = "broadcast.player_link_created"
    case playerLinkRevoked = "broadcast.player_link_revoked"
    /// By somebody, or by its age.
    case recordingRemoved = "recording.removed"
    case recordingSettingsChanged = "organization.recording_settings_changed"
    case mailGivenUp = "mail.given_up"
    /// There were too many.
    case mailHeldBack = "mail.held_back"
    /// Where errors are told.
    case errorTrackingChanged = "server.error_tracking_changed"
    /// Who is told how the server is.
    case phoneHomeChanged = "server.phone_home_changed"
    /// Another version of the server, or a copy of its database.
    case serverUpdateAsked = "server.update_asked"
    case webhookCreated = "webhook.created"
    case webhookChanged = "webhook.changed"
    case webhookRemoved = "webhook.removed"
    case webhookSecretRotated = "webhook.secret_rotated"
    /// What was to be told to it was given up.
    case webhookFailing = "webhook.failing"
}

/// One line of the audit log.
package struct AuditEntry: Sendable, Hashable, Codable, OrganizationRow {
    package let id: ID<Kind.Audit>
    package let at: Timestamp
    package let authorKind: String
    /// The id of a user or a device.
    package let author: String?
    package let address: String?
    /// The API token by which the author's program did it.
    package let token: APITokenID?
    package let action: AuditAction
    /// The id of what it was done to.
    package let subject: String?
    package let detail: String?

    static var table: OrganizationTable { .audit }

    init(_ row: borrowing Row) throws {
        id = try row["id"]
        at = try row["at"]
        authorKind = try row["author_kind"]
        author = try row["author"]
        address = try row["address"]
        token = try row["token"]
        action = try row["action"]
        subject = try row["subject"]
        detail = try row["detail"]
    }
}

/// An organisation's audit log: written by the other functions, read here; nothing changes an entry.
package struct AuditLog: Sendable {
    let store: ControlStore
    let scope: OrganizationScope

    /// As the index has them: by id alone all of an organisation's entries would be read and sorted each time. Ids carry the same moment.
    static let order: SQL = "at DESC, id DESC"

    /// The newest entries first.
    ///
    /// - Parameter before: entries older than this one: the id of the last one of the page before.
    package func entries(before: ID<Kind.Audit>? = nil, limit: Int = 100) async throws -> [AuditEntry] {
        try await store.read { transaction in
            try transaction.rows(
                AuditEntry.self, in: scope, where: before.map { "id < \($0)" } ?? "TRUE", order: Self.order,
                limit: min(max(limit, 1), 1000))
        }
    }
}

extension ControlStore {
    package func audit(in scope: OrganizationScope) -> AuditLog { AuditLog(store: self, scope: scope) }
}
