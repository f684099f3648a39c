import CGStreamer
import Glibc
package import Posix

/// TCP connections of elements that use GIO end when a peer that is only sent to says too much.
///
/// rtmp2sink keeps whatever a server begins to say: each of 65,000 messages at once may ask for 16 MiB, and none need ever end.
package enum TalkLimit {
    /// What a peer may say before it has taken anything: RTMP's handshake and commands, or TLS's and theirs, take less than 20 KiB.
    private static let greeting = 256 << 10
    /// And of what it took since: an acknowledgement of 16 bytes for each 2.5 MB is usual.
    private static let share = 64

    /// Ends the connections to `peer` that were told too much.
    /// - Returns: the bytes that one of them was told; nil where none was ended.
    package static func cut(_ peer: SocketAddress) -> Int? {
        var told: Int?
        PeerSockets.each(to: peer) { socket, counts in
            guard counts.received > greeting + counts.acknowledged / share else { return }
            // What goes on to come would still be read after a shutdown, for as long as the reader finds something each time: tcp(7) forgets it
            // by this. First, while nobody is woken who might close the descriptor.
            var nowhere = sockaddr()
            connect(g_socket_get_fd(socket), &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
            // One that is closed already needs no end.
            g_socket_shutdown(socket, 1, 1, nil)
            told = counts.received
        }
        return told
    }
}
