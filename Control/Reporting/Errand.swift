import Posix

/// What a task is about: errors that are logged in it are told with it.
package final class Errand: Sendable {
    @TaskLocal package static var current: Errand?

    /// `GET /api/v1/senders/{id}`.
    package let route: String?
    private let whose = Guarded<String?>(nil)

    package init(route: String?) { self.route = route }

    /// Known once it is known who asks.
    package var organization: String? {
        get { whose.withLock { $0 } }
        set { whose.withLock { $0 = newValue } }
    }
}
