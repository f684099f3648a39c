import Logging
import Posix
import Wire

/// Names and addresses of the receiver become addresses; ends with its last reference.
final class ReceiverSearch: Sendable {
    private let task: Task<Void, Never>?

    /// What slower links' name servers say has come by then.
    private static let second = Duration.seconds(4)
    /// Of one name: what a name server says is not ours.
    private static let limit = 16

    /// What is known by now.
    private struct Known {
        let literal: [SocketAddress]
        /// Of each name, in the order of the names.
        var named: [[SocketAddress]]

        var addresses: [SocketAddress] { literal + named.joined() }
    }

    /// Each name is looked up by itself: one that is not found keeps none of the others waiting.
    ///
    /// - Parameter found: takes all addresses that are known, best first: at once those that need no name, then more with each name,
    ///   and once more where the names have others by then: a quick name server may have lied. From any thread, one call at a time.
    init(_ receivers: [Endpoint], names: NameLookup, log: Log, found: @escaping @Sendable ([SocketAddress]) -> Void) {
        let literal = receivers.compactMap { SocketAddress($0.host, port: $0.port) }
        found(literal)
        let named = receivers.filter { SocketAddress($0.host, port: $0.port) == nil }
        guard !named.isEmpty else {
            task = nil
            return
        }
        let known = Guarded(Known(literal: literal, named: named.map { _ in [] }))
        let add: @Sendable (Int, [SocketAddress]) -> Void = { place, more in
            known.withLock { known in
                let old = known.addresses
                let new = more.filter { !old.contains($0) }.prefix(Self.limit - known.named[place].count)
                guard !new.isEmpty, !Task.isCancelled else { return }
                known.named[place] += new
                // Under the lock, so that the last call is the one that knows most.
                found(known.addresses)
            }
        }
        task = Task {
            await withTaskGroup(of: Void.self) { group in
                for (place, endpoint) in named.enumerated() {
                    group.addTask {
                        guard let first = await Self.resolvePatiently(endpoint, names, log) else { return }
                        add(place, first)
                        // Cancelled with the search.
                        guard (try? await Task.sleep(for: Self.second)) != nil else { return }
                        // Those that were found stay.
                        add(place, (try? await names.find(endpoint.host, endpoint.port)) ?? [])
                    }
                }
            }
        }
    }

    deinit { task?.cancel() }

    /// nil where it was cancelled.
    private static func resolvePatiently(_ endpoint: Endpoint, _ names: NameLookup, _ log: Log) async -> [SocketAddress]? {
        var pause = Duration.seconds(1)
        while !Task.isCancelled {
            do {
                return try await names.find(endpoint.host, endpoint.port)
            } catch {
                log.warning("the receiver's name is not found", ["host": .text(endpoint.host), "error": "\(error)"])
                // Cancelled with the search: the condition of the loop ends it.
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(15))
            }
        }
        return nil
    }
}
