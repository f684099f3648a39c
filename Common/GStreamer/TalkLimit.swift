import CGStreamer
package import Posix

/// TCP connections of elements that use GIO end when a peer that is only sent to says too much.
///
/// rtmp2sink keeps whatever a server begins to say: each of 65,000 messages at once may ask for 16 MiB, and none need ever end.
package enum TalkLimit {
    /// What a peer may say before it has taken anything: RTMP's handshake and commands, or TLS's and theirs, take less than 20 KiB.
    private static let greeting = 256 << 10
    /// And of what it took since: an acknowledgement of 16 bytes for each 2.5 MB is usual.
    private static let share = 64
    /// At a time: a peer that floods waits for our reading (SO_RCVBUF; the kernel doubles it).
    private static let window: CInt = 16 << 10

    /// A socket that is looked at for as long as its connection has it.
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

    /// Ends the connections to `peer` that were told too much.
    /// - Returns: the bytes that one of them was told; nil where none was ended.
    package static func cut(_ peer: SocketAddress) -> Int? {
        watched.withLock { all in
            var told: Int?
            all.removeAll { one in
                guard let object = g_weak_ref_get(one.socket) else {
                    g_weak_ref_clear(one.socket)
                    one.socket.deallocate()
                    return true
                }
                defer { g_object_unref(object) }
                told = end(object.assumingMemoryBound(to: GSocket.self), peer) ?? told
                return false
            }
            return told
        }
    }

    private static func end(_ socket: UnsafeMutablePointer<GSocket>, _ peer: SocketAddress) -> Int? {
        var (received, acknowledged) = (guint64(0), guint64(0))
        guard strata_socket_counts(socket, &received, &acknowledged) != 0, isConnected(socket, to: peer),
            received > guint64(greeting) + acknowledged / guint64(share)
        else { return nil }
        // One that is closed already needs no end.
        g_socket_shutdown(socket, 1, 1, nil)
        return Int(clamping: received)
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
