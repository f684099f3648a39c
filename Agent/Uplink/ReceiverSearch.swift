import Logging
import Posix
import Wire

/// Names and addresses of the receiver become addresses; ends with its last reference.
final class ReceiverSearch: Sendable {
    private let task: Task<Void, Never>?

    /// - Parameter found: takes all addresses that are known, best first: at once those that need no name, then more with each name.
    init(_ receivers: [Endpoint], log: Log, found: @escaping @Sendable ([SocketAddress]) -> Void) {
        let literal = receivers.compactMap { SocketAddress($0.host, port: $0.port) }
        found(literal)
        let named = receivers.filter { SocketAddress($0.host, port: $0.port) == nil }
        guard !named.isEmpty else {
            task = nil
            return
        }
        task = Task {
            var addresses = literal
            for endpoint in named {
                guard let more = await Self.resolvePatiently(endpoint, log) else { return }
                addresses += more
                found(addresses)
            }
        }
    }

    deinit { task?.cancel() }

    /// nil where it was cancelled.
    private static func resolvePatiently(_ endpoint: Endpoint, _ log: Log) async -> [SocketAddress]? {
        var pause = Duration.seconds(1)
        while !Task.isCancelled {
            do {
                return try await resolve(host: endpoint.host, port: endpoint.port)
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
