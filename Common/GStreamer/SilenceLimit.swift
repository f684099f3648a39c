import CGStreamer
import Glibc
import Posix

/// TCP connections of elements that use GIO end when the peer has confirmed nothing for too long.
///
/// Without it a connection whose packets vanish looks well for as long as the kernel's send buffer takes more: up to 4 MiB
/// (`tcp_wmem`), 20 s of a 1.5 Mbit/s stream. With it a write or a read fails with ETIMEDOUT.
package enum SilenceLimit {
    private static let limitMs = Guarded<CInt>(0)

    /// Set once. GIO tells each step of each of its clients as a signal, and a hook sees them all: the elements do not show theirs.
    private static let installed: Void = {
        // The class makes the signal.
        let type = g_socket_client_get_type()
        let client = g_type_class_ref(type)
        g_signal_add_emission_hook(g_signal_lookup("event", type), 0, clientEvent, nil, nil)
        g_type_class_unref(client)
    }()

    /// From now on each connection that GIO opens in this process has this limit (TCP_USER_TIMEOUT); it counts from the first
    /// byte that is not confirmed, and while the peer's window is closed. Any thread.
    package static func set(_ limit: Duration) {
        limitMs.withLock { $0 = CInt(limit / .milliseconds(1)) }
        _ = installed
    }

    fileprivate static func apply(to socket: CInt) {
        var value = limitMs.withLock { $0 }
        // It can fail for what is no TCP socket only, and that has no such limit.
        setsockopt(socket, CInt(IPPROTO_TCP), TCP_USER_TIMEOUT, &value, socklen_t(MemoryLayout<CInt>.size))
    }
}

/// Parameters: the client, the event, what it connects to, the connection. Source: GSocketClient::event.
private func clientEvent(
    _ hint: UnsafeMutablePointer<GSignalInvocationHint>?, _ count: guint, _ values: UnsafePointer<GValue>?, _ context: gpointer?
) -> gboolean {
    guard let values, count > 3, g_value_get_enum(values + 1) == gint(G_SOCKET_CLIENT_CONNECTING.rawValue) else { return 1 }
    let connection = g_value_get_object(values + 3)
    let socket = strata_connection_descriptor(connection)
    if socket >= 0 { SilenceLimit.apply(to: socket) }
    PeerSockets.watch(connection)
    // The hook stays.
    return 1
}
