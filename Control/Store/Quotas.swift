import SQLite
import Wire

/// Something that an organisation, or one of its users, has a limited number of at once (THREATS 14). The raw value is its
/// key in the configuration and its name in errors.
package enum Quota: String, Sendable, CaseIterable, Hashable {
    /// Of an organisation: users who are not shut out.
    case users
    /// Of an organisation: senders that are not revoked.
    case senders
    /// Of an organisation: tokens that are still good.
    case enrollmentTokens = "enrollment_tokens"
    /// Of an organisation.
    case destinations
    /// Of an organisation: broadcasts that are not over.
    case broadcasts
    /// Of an organisation: begun within an hour, whatever became of them.
    case rehearsals
    /// Of one broadcast.
    case outputs
    /// Of one user: open sessions; the one that was used longest ago makes room for a new one.
    case sessions
    /// Of one user: WebSockets of pages.
    case sockets
    /// Of one sender: versions of its configuration that are kept; the oldest makes room.
    case configurations
    /// Of an organisation: those that may still be accepted.
    case invitations
    /// Of an organisation: those who have registered by its code and have not come yet.
    case registrations
    /// Of one user: those that are good.
    case apiTokens = "api_tokens"
    /// Of an organisation: invitations by mail within a day, and as many registrations. Mails to its own users are counted for each of them alone: strangers ask for some, and
    /// must not use up another user's.
    case mails
    /// Of an organisation.
    case webhooks
    /// Of one webhook: events that wait to be told.
    case webhookBacklog = "webhook_backlog"
    /// Of an organisation: beside those of its meetings.
    case rooms
    /// Of an organisation: active at once.
    case meetings
    /// Of an organisation: drafts, and those that are yet to begin.
    case plannedMeetings = "planned_meetings"
    /// Of one room, a meeting's too: people who are in it, whatever its organisation says.
    case participants
    /// Of one meeting: by which somebody may still come.
    case guestLinks = "guest_links"
    /// Of an organisation: logos and pictures of people.
    case files
    /// Of an organisation: texts of its pages in its own words.
    case texts
    /// Of an organisation: MiB of files and recordings together.
    case storage

    /// Where the operator says nothing.
    package var standard: Int {
        switch self {
        case .users, .destinations, .invitations, .registrations: 200
        case .rehearsals: 30
        case .senders, .enrollmentTokens, .webhookBacklog, .rooms, .plannedMeetings: 1000
        case .guestLinks: 100
        case .broadcasts, .meetings: 50
        case .outputs, .webhooks: 10
        case .participants: WireLimits.participants
        case .sessions, .sockets, .apiTokens: 20
        case .configurations, .mails, .files, .texts: 500
        case .storage: 50 << 10
        }
    }

    /// More than this cannot be configured.
    package var most: Int {
        switch self {
        case .outputs: WireLimits.outputs
        case .participants: WireLimits.participants
        default: 1_000_000
        }
    }

    var what: String {
        switch self {
        case .mails: "invitations by mail of a day"
        case .webhookBacklog: "places for events that wait for a webhook"
        case .rehearsals: "rehearsals of an hour"
        case .storage: "MiB of files and recordings"
        case .meetings: "active meetings"
        case .participants: "places in a room"
        default: rawValue.replacing("_", with: " ")
        }
    }
}

/// How much of everything there may be.
package struct Quotas: Sendable, Hashable {
    private var limits: [Quota: Int] = [:]

    package init() {}

    package subscript(quota: Quota) -> Int {
        get { limits[quota] ?? quota.standard }
        set { limits[quota] = newValue }
    }
}

extension Quotas {
    /// Whether one more fits beside `count`.
    ///
    /// - Throws: `.quota`.
    package func admit(_ quota: Quota, beside count: Int) throws(StoreError) {
        guard count < self[quota] else { throw .quota(quota, limit: self[quota]) }
    }
}

extension Transaction {
    /// Holds a quota of an organisation's rows, in the transaction that adds one.
    func admit(_ quota: Quota, of table: OrganizationTable, where condition: SQL, by quotas: Quotas, in scope: OrganizationScope) throws {
        try quotas.admit(quota, beside: count(of: table, in: scope, where: condition))
    }
}
