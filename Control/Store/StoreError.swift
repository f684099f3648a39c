import SQLite
package import Wire

/// Why the store did not do what was asked; nothing was changed then.
package enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No such row in this organisation; another organisation's rows are as missing as ones that never were.
    case missing(String)
    /// What has to be unique is in use already: a mail address, a slug, a name, a public key.
    case taken(String)
    /// A field that cannot be stored: which, and what was expected.
    case invalid(field: String, expected: String)
    /// The organisation has exactly one owner, who cannot be demoted, deactivated or removed (ORG-02).
    case ownerStays
    /// The sender has a broadcast that has not ended.
    case senderBusy
    /// The organisation has a broadcast that has not ended.
    case organizationBusy
    /// One rollout at a time.
    case rolloutRuns
    case rolloutOver
    /// What is being recorded is not removed.
    case recordingRuns
    /// The meeting's state does not let it be done.
    case meetingIs(MeetingState)
    /// An owner exists already, or the setup secret is another one, or was used.
    case setupClosed
    /// The token is unknown, expired, withdrawn, or of another kind.
    case tokenRefused
    /// The link of a mail is unknown, expired, taken back or used.
    case linkRefused
    /// No organisation that is open to registrations has this name and this code.
    case codeRefused
    /// The token was redeemed with another public key, or the device it made has connected since (THREATS 2).
    case tokenUsed
    /// The public key is that of a device of the same organisation and kind, which goes on.
    case enrolled
    /// The public key is that of a device that was revoked: only another key is enrolled again.
    case keyRevoked
    /// The database comes from a newer version of the platform: its version and the newest known one.
    case newerDatabase(version: Int, known: Int)
    /// The database's history is not this program's: what was found at a version.
    case foreignHistory(version: Int, found: String)
    case diskFull
    /// Another program has locked the database for longer than is waited for.
    case locked
    /// There are as many as there may be at once.
    case quota(Quota, limit: Int)
    /// So many mails of a kind went to one address within a day.
    case enoughMails(limit: Int)

    package var description: String {
        switch self {
        case .missing(let what): "no such \(what)"
        case .taken(let what): "this \(what) is in use already"
        case .invalid(let field, let expected): "\(field): \(expected)"
        case .ownerStays: "an organisation has exactly one owner, who cannot be demoted, deactivated or removed"
        case .senderBusy: "the sender has a broadcast that has not ended"
        case .organizationBusy: "the organisation has a broadcast that has not ended: stop it first"
        case .rolloutRuns: "a rollout is not over: end it, or roll it back, before the next one"
        case .rolloutOver: "the rollout is over"
        case .recordingRuns: "the broadcast is being recorded: stop it first"
        case .meetingIs(let state): "the meeting is \(state.rawValue): that cannot be done with it"
        case .setupClosed: "the setup secret opens nothing: it is another one, it was used, or an owner exists"
        case .tokenRefused: "the enrollment token is unknown, expired, withdrawn, or for another kind of device"
        case .linkRefused: "the link opens nothing: it is too old, it was used, or a newer one took its place"
        case .codeRefused: "no organisation of that short name lets people register with that code"
        case .tokenUsed: "the enrollment token was used by another device"
        case .enrolled: "this machine is enrolled already"
        case .keyRevoked: "this machine was revoked: it is enrolled again with a new key"
        case .newerDatabase(let version, let known): "the database has version \(version), this program knows \(known)"
        case .foreignHistory(let version, let found): "the database's migration \(version) is '\(found)', which this program does not know"
        case .diskFull: "the disk of the database is full"
        case .locked: "another program has locked the database"
        case .enoughMails(let limit): "\(limit) mails of this kind went to that address within a day; the next one has to wait"
        case .quota(let quota, let limit): "all \(limit) \(quota.what) are in use (quotas.\(quota.rawValue) = \(limit))"
        }
    }
}

/// Turns a broken UNIQUE constraint into what is taken, and a full disk into itself; passes everything else on.
func naming<Value>(_ what: String, _ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let error as SQLiteError where error.kind == .duplicate {
        throw StoreError.taken(what)
    }
}
