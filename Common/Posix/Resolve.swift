import Glibc

/// A name that has no address now: which one, and what the resolver said.
package struct ResolveError: Error, Hashable, Sendable, CustomStringConvertible {
    package let host: String
    package let reason: String
    package var description: String { "resolve \(host): \(reason)" }

    package init(host: String, reason: String) {
        self.host = host
        self.reason = reason
    }
}

/// How a program finds the addresses of hosts, and what it learns of them.
package struct NameLookup: Sendable {
    /// All addresses that are known, best first; throws where there is none. It bounds its own time, or is left behind.
    package var find: @Sendable (_ host: String, _ port: Int) async throws -> [SocketAddress]
    /// Who was reached at an address was the host, or somebody else or nobody that spoke.
    package var judged: @Sendable (_ address: SocketAddress, _ isRight: Bool) -> Void

    package init(
        find: @escaping @Sendable (_ host: String, _ port: Int) async throws -> [SocketAddress],
        judged: @escaping @Sendable (_ address: SocketAddress, _ isRight: Bool) -> Void = { _, _ in }
    ) {
        self.find = find
        self.judged = judged
    }

    /// The system's resolver.
    package static let system = NameLookup(find: { try await resolve(host: $0, port: $1) })
}

/// Look-ups that run at the same time, at most: a resolver that hangs takes its threads, not all of them.
private let lookupLimit = 16
private let lookups = Guarded(0)

/// The addresses of a host, in the resolver's order (RFC 6724), by getaddrinfo on a thread of its own.
///
/// A literal address comes back at once. Throws `ResolveError`. It takes as long as the resolver does (seconds where it does
/// not answer) and cannot be cancelled: bound it by a timeout that leaves it behind.
package func resolve(host: String, port: Int) async throws -> [SocketAddress] {
    if let literal = SocketAddress(host, port: port) { return [literal] }
    guard (0...65535).contains(port), !host.isEmpty, !host.utf8.contains(0) else {
        throw ResolveError(host: host, reason: "not a host name and port")
    }
    let isFree = lookups.withLock { count in
        guard count < lookupLimit else { return false }
        count += 1
        return true
    }
    guard isFree else { throw ResolveError(host: host, reason: "\(lookupLimit) look-ups run already") }
    return try await withCheckedThrowingContinuation { continuation in
        let lookup = Lookup(host: host, port: port) { result in
            lookups.withLock { $0 -= 1 }
            continuation.resume(with: result)
        }
        let context = Unmanaged.passRetained(lookup)
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, lookupThread, context.toOpaque())
        if code == 0 {
            pthread_detach(thread)
        } else {
            context.release()
            lookup.done(.failure(SystemError("pthread_create", code, on: host)))
        }
    }
}

private final class Lookup: Sendable {
    let host: String
    let port: Int
    let done: @Sendable (Result<[SocketAddress], any Error>) -> Void

    init(host: String, port: Int, done: @escaping @Sendable (Result<[SocketAddress], any Error>) -> Void) {
        self.host = host
        self.port = port
        self.done = done
    }

    func run() {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard code == 0 else {
            return done(.failure(ResolveError(host: host, reason: String(cString: gai_strerror(code)))))
        }
        var addresses: [SocketAddress] = []
        var entry = list
        while let found = entry {
            let bytes = UnsafeRawBufferPointer(start: found.pointee.ai_addr, count: Int(found.pointee.ai_addrlen))
            if var address = SocketAddress(sockaddr: bytes) {
                address.port = port
                if !addresses.contains(address) { addresses.append(address) }
            }
            entry = found.pointee.ai_next
        }
        done(addresses.isEmpty ? .failure(ResolveError(host: host, reason: "no address")) : .success(addresses))
    }
}

private func lookupThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<Lookup>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
