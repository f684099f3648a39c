import Blobs
import SQLite
package import Units

/// What users change of themselves (ORG-07).
extension Users {
    /// Changes what is given, all of it or nothing.
    ///
    /// - Parameter avatar: the name of a file that was uploaded as one; empty: none.
    /// - Throws: `.invalid`.
    package func changeProfile(_ id: UserID, displayName: String?, avatar: String?) async throws -> User {
        let displayName = try displayName.map { try DisplayName.checked($0) }
        return try await store.write(.durable) { transaction in
            let user = try transaction.user(id, in: scope)
            if let displayName, displayName != user.displayName {
                try transaction.update(.users, in: scope, set: ["display_name": displayName], where: "id = \(id)")
                try transaction.note(.userRenamed, id.text, in: scope)
            }
            if let avatar {
                let file = try transaction.uploaded(avatar, to: .avatars, as: "user.avatar", in: scope)
                if file != user.avatar {
                    try transaction.update(.users, in: scope, set: ["avatar": file], where: "id = \(id)")
                    try transaction.note(.avatarChanged, id.text, in: scope)
                }
            }
            return try transaction.user(id, in: scope)
        }
    }
}
