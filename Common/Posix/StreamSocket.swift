import CPosix
import Glibc

/// Sockets of bytes, TCP and Unix, all non-blocking and closed on exec; what they throw is `SystemError`.
package enum StreamSocket {
    /// A TCP socket that listens; IPv6 ones take no IPv4. Port 0 takes a free one: ask `localAddress`.
    package static func listen(on address: SocketAddress, device: String? = nil, backlog: CInt = 1024) throws -> Descriptor {
        let socket = try open(address.family == .ipv4 ? AF_INET : AF_INET6, on: "\(address)")
        if let device { try bind(socket.raw, toDevice: device) }
        set(socket.raw, SOL_SOCKET, SO_REUSEADDR, 1)
        if address.family == .ipv6 { set(socket.raw, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        guard address.withSockaddr({ Glibc.bind(socket.raw, $0, $1) }) == 0 else { throw SystemError("bind", on: "\(address)") }
        guard Glibc.listen(socket.raw, backlog) == 0 else { throw SystemError("listen", on: "\(address)") }
        return socket
    }

    /// A Unix socket that listens at `path`, mode 0600; a socket left there by a process that is gone is replaced.
    package static func listen(path: String, backlog: CInt = 64) throws -> Descriptor {
        let socket = try open(AF_UNIX, on: path)
        var code = try withUnixAddress(path) { Glibc.bind(socket.raw, $0, $1) }
        if code != 0, errno == EADDRINUSE, isStale(path) {
            unlink(path)
            code = try withUnixAddress(path) { Glibc.bind(socket.raw, $0, $1) }
        }
        guard code == 0 else { throw SystemError("bind", on: path) }
        guard chmod(path, 0o600) == 0 else { throw SystemError("chmod", on: path) }
        guard Glibc.listen(socket.raw, backlog) == 0 else { throw SystemError("listen", on: path) }
        return socket
    }

    /// Nobody answers at this path: the file is what a process that died left.
    private static func isStale(_ path: String) -> Bool {
        do {
            _ = try connect(path: path)
            return false
        } catch {
            return (error as? SystemError)?.code == ECONNREFUSED
        }
    }

    /// The next connection with its peer's address (nil for Unix sockets); nil where none waits.
    ///
    /// Throws for want of descriptors or memory: pause then. A connection that went away while it waited is skipped.
    package static func accept(_ listener: CInt) throws -> (socket: CInt, peer: SocketAddress?)? {
        var storage = sockaddr_storage()
        while true {
            var length = UInt32(MemoryLayout<sockaddr_storage>.size)
            let socket = cposix_accept_from(listener, &storage, &length)
            if socket >= 0 { return (socket, withUnsafeBytes(of: storage) { SocketAddress(sockaddr: $0) }) }
            switch errno {
            case EAGAIN: return nil
            // accept(2): errors of the new connection are reported here and mean: try the next.
            case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH: continue
            default: throw SystemError("accept4")
            }
        }
    }

    /// Begins to connect; the socket becomes writable when it is decided: ask `connectResult` then.
    /// - Parameter device: the interface it is bound to (SO_BINDTODEVICE), so that it never leaves by another.
    package static func connect(to address: SocketAddress, device: String? = nil) throws -> Descriptor {
        let socket = try open(address.family == .ipv4 ? AF_INET : AF_INET6, on: "\(address)")
        if let device { try bind(socket.raw, toDevice: device) }
        setNoDelay(socket.raw)
        guard address.withSockaddr({ Glibc.connect(socket.raw, $0, $1) }) == 0 || errno == EINPROGRESS else {
            throw SystemError("connect", on: "\(address)")
        }
        return socket
    }

    /// Connects to a Unix socket, at once or not at all.
    package static func connect(path: String) throws -> Descriptor {
        let socket = try open(AF_UNIX, on: path)
        guard try withUnixAddress(path, { Glibc.connect(socket.raw, $0, $1) }) == 0 else { throw SystemError("connect", on: path) }
        return socket
    }

    /// Nil when a connect succeeded, else why it failed.
    package static func connectResult(_ socket: CInt, on subject: String) -> SystemError? {
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return SystemError("getsockopt", on: subject) }
        return code == 0 ? nil : SystemError("connect", code, on: subject)
    }

    package static func localAddress(_ socket: CInt) -> SocketAddress? { address(socket, getsockname) }

    /// Traffic of this socket uses this interface only. Unprivileged for a socket that is not yet bound to one (Linux 5.7).
    package static func bind(_ socket: CInt, toDevice name: String) throws {
        // The kernel takes no name for any interface, and of one of 16 bytes (IFNAMSIZ) or more the beginning. Source: net/core/sock.c.
        guard (1..<16).contains(name.utf8.count) else { throw SystemError("setsockopt SO_BINDTODEVICE", ENODEV, on: name) }
        guard setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(name.utf8.count)) == 0 else {
            throw SystemError("setsockopt SO_BINDTODEVICE", on: name)
        }
    }

    /// Small messages leave at once (TCP_NODELAY).
    package static func setNoDelay(_ socket: CInt) { set(socket, CInt(IPPROTO_TCP), TCP_NODELAY, 1) }

    /// The socket is readable from so many bytes on, or once nothing more comes (SO_RCVLOWAT); 1 is what it begins with.
    package static func setLowWater(_ socket: CInt, bytes: Int) { set(socket, SOL_SOCKET, SO_RCVLOWAT, CInt(clamping: max(1, bytes))) }

    /// What the peer has not acknowledged when the socket is closed is thrown away, and the peer is told so by a reset (SO_LINGER 0).
    package static func discardUnsentAtClose(_ socket: CInt) {
        var value = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    /// Bytes that were written to a TCP socket and that the peer has not acknowledged; 0 for one that is no longer connected.
    package static func unacknowledged(_ socket: CInt) -> Int { max(0, Int(cposix_unacknowledged(socket))) }

    /// Bytes that the peer has acknowledged since the connection began; 0 for one that is no longer connected.
    package static func acknowledged(_ socket: CInt) -> Int { max(0, Int(cposix_acknowledged(socket))) }

    private static func open(_ family: CInt, on subject: String) throws -> Descriptor {
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let raw = socket(family, type, 0)
        guard raw >= 0 else { throw SystemError("socket", on: subject) }
        return Descriptor(adopting: raw)
    }

    /// For options that cannot fail on a socket of the right family.
    static func set(_ socket: CInt, _ level: CInt, _ option: CInt, _ value: CInt) {
        var value = value
        setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    static func address(
        _ socket: CInt, _ ask: (CInt, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask(socket, $0, &length) }
        }
        return code == 0 ? withUnsafeBytes(of: storage) { SocketAddress(sockaddr: $0) } : nil
    }

    private static func withUnixAddress<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path) - 1
        guard !bytes.isEmpty, bytes.count <= room, !bytes.contains(0) else { throw SystemError("bind", ENAMETOOLONG, on: path) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}
