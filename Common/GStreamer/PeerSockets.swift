import CGStreamer
package import Posix

/// The TCP sockets of elements that use GIO, for as long as their connections have them, and what the kernel counts of them.
///
/// Known are those that were made after the first `SilenceLimit.set`.
package enum PeerSockets {
    /// Bytes since the connection was made.
    package struct Counts: Sendable, Hashable {
        package var received: Int
        package var acknowledged: Int
        /// Up to here the peer has said that it takes: what it has acknowledged, and its window.
        package var room: Int
        /// Something was written that is not acknowledged.
        package var isOwed: Bool
    }

    /// At a time: a peer that floods waits for our reading (SO_RCVBUF; the kernel doubles it).
    private static let window: CInt = 16 << 10

    private struct Watched: @unchecked Sendable {
        // Sendable: GWeakRef is thread safe; it is touched under the lock below.
        let socket: UnsafeMutablePointer<GWeakRef>
    }

    private static let watched = Guarded<[Watched]>([])

    /// Called for each connection before it is made.
    static func watch(_ connection: UnsafeMutableRawPointer?) {
        guard let socket = strata_connection_socket(connection) else { return }
        var size = window
        // It fails for a socket that is closed already.
        setsockopt(g_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        let place = UnsafeMutablePointer<GWeakRef>.allocate(capacity: 1)
        g_weak_ref_init(place, socket)
        watched.withLock { $0.append(Watched(socket: place)) }
    }

    /// The counts of each open connection to `peer`, by a number that is its own while it lasts. Any thread.
    package static func counts(to peer: SocketAddress) -> [Int: Counts] {
        var found: [Int: Counts] = [:]
        each(to: peer) { found[Int(bitPattern: $0)] = $1 }
        return found
    }

    /// - Parameter body: called under a lock; the socket is valid in it.
    static func each(to peer: SocketAddress, _ body: (UnsafeMutablePointer<GSocket>, Counts) -> Void) {
        watched.withLock { all in
            all.removeAll { one in
                guard let object = g_weak_ref_get(one.socket) else {
                    g_weak_ref_clear(one.socket)
                    one.socket.deallocate()
                    return true
                }
                defer { g_object_unref(object) }
                let socket = object.assumingMemoryBound(to: GSocket.self)
                if let counts = count(socket), isConnected(socket, to: peer) { body(socket, counts) }
                return false
            }
        }
    }

    private static func count(_ socket: UnsafeMutablePointer<GSocket>) -> Counts? {
        var counts = strata_socket_counts()
        guard strata_socket_count(socket, &counts) != 0 else { return nil }
        return Counts(
            received: Int(clamping: counts.received), acknowledged: Int(clamping: counts.acknowledged),
            room: Int(clamping: counts.acknowledged &+ counts.window), isOwed: counts.is_owed != 0)
    }

    private static func isConnected(_ socket: UnsafeMutablePointer<GSocket>, to peer: SocketAddress) -> Bool {
        guard let address = g_socket_get_remote_address(socket, nil) else { return false }
        defer { g_object_unref(gpointer(address)) }
        var storage = sockaddr_storage()
        return withUnsafeMutableBytes(of: &storage) { bytes in
            guard g_socket_address_to_native(address, bytes.baseAddress, gsize(bytes.count), nil) != 0 else { return false }
            return SocketAddress(sockaddr: UnsafeRawBufferPointer(bytes))?.unmapped == peer.unmapped
        }
    }
}
