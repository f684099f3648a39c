import Logging
import Posix
import Wire

/// Names and addresses of the receiver become addresses; ends with its last reference.
final class ReceiverSearch: Sendable {
    private let task: Task<Void, Never>?

    /// What slower links' name servers say has come by then.
    private static let second = Duration.seconds(4)

    /// - Parameter found: takes all addresses that are known, best first: at once those that need no name, then more with each name,
    ///   and once more where the names have others by then: a quick name server may have lied.
    init(_ receivers: [Endpoint], names: NameLookup, log: Log, found: @escaping @Sendable ([SocketAddress]) -> Void) {
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
                guard let more = await Self.resolvePatiently(endpoint, names, log) else { return }
                addresses += more
                found(addresses)
            }
            // Cancelled with the search.
            guard (try? await Task.sleep(for: Self.second)) != nil else { return }
            for endpoint in named {
                // Those that were found stay.
                let more = (try? await names.find(endpoint.host, endpoint.port)) ?? []
                let new = more.filter { !addresses.contains($0) }
                guard !new.isEmpty, !Task.isCancelled else { continue }
                addresses += new
                found(addresses)
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
