package import Posix

/// A connection to a message bus, on a loop; it ends once and is then made anew by its owner.
///
/// Every method may be called from any thread. What is heard comes on the loop, in the order in which the bus sent it: a reply is
/// given to its completion before the signal behind it.
package final class Bus: Sendable {
    private let conversation: Conversation

    /// Begins to connect; what is asked meanwhile waits.
    /// - Parameters:
    ///   - address: one of `unix:`; anything else would look names up or start programs, and wait for that.
    ///   - ended: the connection is over, or never came to be; on the loop, once, and not after `close`.
    package init(address: String = Bus.systemAddress, loop: Loop, ended: @escaping @Sendable (BusError) -> Void) {
        conversation = Conversation(address: address, loop: loop, ended: ended)
        conversation.loop.run { [conversation] in conversation.begin() }
    }

    deinit { close() }

    /// Ends it: no signal is heard after this, and what was asked is answered with `.ended`.
    package func close() { conversation.loop.run { [conversation] in conversation.close() } }

    /// Asks, and gives the answer on the loop.
    /// - Returns: what cancels the question; letting go of it does not.
    @discardableResult
    package func call(
        _ call: MethodCall, timeout: Duration = .seconds(10), _ done: @escaping @Sendable (Result<Reply, BusError>) -> Void
    ) -> PendingCall {
        let pending = PendingCall(conversation, done)
        conversation.loop.run { [conversation] in conversation.begin(pending, call, timeout) }
        return pending
    }

    /// Asks and waits. Throws `.cancelled` as soon as the task is cancelled; the question is withdrawn then.
    package func call(_ call: MethodCall, timeout: Duration = .seconds(10)) async throws(BusError) -> Reply {
        let asked = Guarded<PendingCall?>(nil)
        let result: Result<Reply, BusError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let pending = PendingCall(conversation) { continuation.resume(returning: $0) }
                asked.withLock { $0 = pending }
                conversation.loop.run { [conversation] in conversation.begin(pending, call, timeout) }
                // The task may have been cancelled before there was anything to cancel.
                if Task.isCancelled { pending.cancel() }
            }
        } onCancel: {
            asked.withLock { $0 }?.cancel()
        }
        return try result.get()
    }

    /// Hears the signals that match, on the loop, until the connection ends.
    package func subscribe(_ rule: MatchRule, _ heard: @escaping @Sendable (BusSignal) -> Void) {
        conversation.loop.run { [conversation] in conversation.subscribe(rule, heard) }
    }

    /// Where the system's bus usually listens.
    package static let systemAddress = "unix:path=/run/dbus/system_bus_socket"
}

/// A question that is not answered yet.
package final class PendingCall: @unchecked Sendable {
    // Sendable: `slot` and `done` are touched on the loop's thread only.
    let owner: Conversation
    var slot: OpaquePointer?
    private var done: (@Sendable (Result<Reply, BusError>) -> Void)?

    init(_ conversation: Conversation, _ done: @escaping @Sendable (Result<Reply, BusError>) -> Void) {
        owner = conversation
        self.done = done
    }

    /// Withdraws the question: its completion is given `.cancelled`, unless it was answered before. From any thread.
    package func cancel() { owner.loop.run { [self] in owner.withdraw(self) } }

    var isOver: Bool { done == nil }

    func finish(_ result: Result<Reply, BusError>) {
        let done = done
        self.done = nil
        done?(result)
    }
}
