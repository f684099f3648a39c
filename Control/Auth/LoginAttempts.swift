import Store
import Units

/// What an attempt to sign in counts against, before the password is looked at (SEC-11).
///
/// From one place little, whoever is tried; against one user little from one place, and more from all places together. A user is
/// counted by what the address belongs to, not by the address: who has the same one in another organisation can neither use up
/// nor take back what is counted here.
struct LoginAttempts: Sendable {
    struct Subject: Sendable, Hashable {
        let kind: String
        let name: String
        let limit: RateLimit
    }

    /// Taken back where any password was right.
    let ofPlace: Subject
    /// Taken back where the user's was right.
    private(set) var ofUser: [UserID: [Subject]] = [:]
    /// For a mail address that is nobody's.
    private var ofNobody: [Subject] = []

    /// - Parameter browser: what came with the request. It counts only where no other user than its own is tried.
    init(_ candidates: [Login], email: String, browser: KnownBrowsers.Browser?, from origin: Origin, limits: Gate.Limits) {
        let known = browser.flatMap { one in candidates.map(\.user.id) == [one.sub] ? one : nil }
        let place = known.map { "browser \($0.jti)" } ?? "address \(origin.subscriber)"
        func subjects(_ who: String) -> [Subject] {
            let here = Subject(kind: "login at place", name: "\(who) \(place)", limit: limits.loginAtPlace)
            return known == nil ? [here, Subject(kind: "login of user", name: who, limit: limits.loginOfUser)] : [here]
        }
        ofPlace = Subject(kind: "login", name: place, limit: limits.login)
        for candidate in candidates { ofUser[candidate.user.id] = subjects("user \(candidate.user.id)") }
        // try?: an address that cannot be one is nobody's either.
        if candidates.isEmpty { ofNobody = subjects("email \((try? NewUser.normalized(email)) ?? "")") }
    }

    var all: [Subject] { [ofPlace] + ofUser.sorted { $0.key < $1.key }.flatMap(\.value) + ofNobody }
}

/// An attempt that was counted, and where.
struct CountedAttempt: Sendable {
    let kind: String
    let subject: String
    /// In memory otherwise, where the store had no room for it.
    let isStored: Bool
}

extension Gate {
    /// Counts an attempt, or nothing of it where one of its limits is reached.
    ///
    /// - Throws: `.tooMany`.
    /// - Returns: what was counted against each.
    func take(_ attempts: LoginAttempts) async throws -> [LoginAttempts.Subject: CountedAttempt] {
        var taken: [LoginAttempts.Subject: CountedAttempt] = [:]
        for subject in attempts.all {
            do {
                taken[subject] = try await take(subject.kind, subject.name, subject.limit)
            } catch {
                for attempt in taken.values { try await refund(attempt) }
                throw error
            }
        }
        return taken
    }
}
