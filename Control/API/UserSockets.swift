import Posix
import Units

/// How many WebSockets each user has open.
final class UserSockets: Sendable {
    private let counts = Guarded<[UserID: Int]>([:])

    func count(of user: UserID) -> Int { counts.withLock { $0[user] ?? 0 } }

    /// Counts one in, where the limit allows it.
    func enter(_ user: UserID, limit: Int) -> Bool {
        counts.withLock { counts in
            guard counts[user, default: 0] < limit else { return false }
            counts[user, default: 0] += 1
            return true
        }
    }

    func leave(_ user: UserID) {
        counts.withLock { counts in
            let left = counts[user, default: 1] - 1
            counts[user] = left > 0 ? left : nil
        }
    }
}
