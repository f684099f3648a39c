import Posix

/// What a task is about: errors that are logged in it are told with it.
package final class Errand: Sendable {
    @TaskLocal package static var current: Errand?

    private let asked: String?
    private let whose = Guarded<String?>(nil)
    private let isOver = Guarded(false)

    package init(route: String?) { asked = route }

    /// `GET /api/v1/senders/{id}`; nil once it is over: what a task goes on with then is something else.
    package var route: String? { isOver.withLock { $0 } ? nil : asked }

    package func end() { isOver.withLock { $0 = true } }

    /// Known once it is known who asks.
    package var organization: String? {
        get { whose.withLock { $0 } }
        set { whose.withLock { $0 = newValue } }
    }
}
