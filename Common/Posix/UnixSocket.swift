import CPosix
import Glibc

/// The system calls of Unix sockets.
package enum UnixSocket {
    /// Who is at the other end, as the kernel noted it at connect or listen (unix(7), SO_PEERCRED).
    package struct Peer: Equatable, Sendable {
        /// 0 for a process of another pid namespace.
        package var pid: Int32
        package var user: UInt32

        /// Whether it may be our parent or child: our own user, or root.
        package var isTrusted: Bool { user == geteuid() || user == 0 }
        /// False only where the process is known to be gone.
        package var isAlive: Bool { pid == 0 || kill(pid, 0) == 0 || errno == EPERM }
    }

    /// The longest path of a socket, in bytes: `sun_path` with its last zero (unix(7)).
    package static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
    /// What `listen` adds to a path for the moment before the socket answers.
    package static let earlySuffix = ".new"

    /// Listens at `path` (mode 0600), which appears only once the socket answers; a file left behind by a dead process
    /// is replaced. Its folder is made (0700) where it is missing.
    ///
    /// - Throws: EADDRINUSE where another process listens there, EPERM where others can reach into the folder.
    package static func listen(at path: String) throws(SystemError) -> Descriptor {
        try secure(folder(of: path))
        // Any failure to connect means that nobody is there.
        if (try? connect(to: path)) != nil { throw SystemError("bind", EADDRINUSE, on: path) }
        let early = path + earlySuffix
        unlink(early)
        let socket = try open(SOCK_STREAM)
        guard (try withAddress(early) { bind(socket.raw, $0, $1) }) == 0 else { throw SystemError("bind", on: early) }
        guard chmod(early, 0o600) == 0 else { throw SystemError("chmod", on: early) }
        guard Glibc.listen(socket.raw, 8) == 0 else { throw SystemError("listen", on: early) }
        guard rename(early, path) == 0 else { throw SystemError("rename", on: path) }
        return socket
    }

    /// - Throws: ENOENT and ECONNREFUSED where nobody listens (yet), EPERM where the listener is not ours.
    package static func connect(to path: String) throws(SystemError) -> Descriptor {
        let socket = try open(SOCK_STREAM)
        guard (try withAddress(path) { Glibc.connect(socket.raw, $0, $1) }) == 0 else { throw SystemError("connect", on: path) }
        guard try peer(of: socket.raw).isTrusted else { throw SystemError("connect", EPERM, on: path) }
        return socket
    }

    /// The next connection, non-blocking; EAGAIN where none waits.
    package static func accept(_ listener: CInt) throws(SystemError) -> Descriptor {
        let socket = cposix_accept(listener)
        guard socket >= 0 else { throw SystemError("accept4") }
        return Descriptor(adopting: socket)
    }

    /// Two that are each other's ends, for a parent and its child; both block, and are the caller's to close.
    package static func pair() throws(SystemError) -> (near: CInt, far: CInt) {
        var ends: [CInt] = [-1, -1]
        let flags = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, flags, 0, &ends) == 0 else { throw SystemError("socketpair") }
        return (ends[0], ends[1])
    }

    package static func peer(of socket: CInt) throws(SystemError) -> Peer {
        // struct ucred: pid, uid, gid; not visible without _GNU_SOURCE.
        var credentials: (pid_t, uid_t, gid_t) = (0, 0, 0)
        var length = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 else { throw SystemError("getsockopt SO_PEERCRED") }
        return Peer(pid: credentials.0, user: credentials.1)
    }

    /// Sends one datagram to `path`, where a leading `@` is an abstract name.
    package static func send(_ datagram: [UInt8], to path: String) throws(SystemError) {
        let socket = try open(SOCK_DGRAM)
        let sent = try withAddress(path) { address, length in
            CInt(truncatingIfNeeded: sendto(socket.raw, datagram, datagram.count, CInt(MSG_NOSIGNAL), address, length))
        }
        guard sent >= 0 else { throw SystemError("sendto", on: path) }
    }

    /// Removes the socket file of a listener that ends; one that is gone already is as good.
    package static func remove(_ path: String) { unlink(path) }

    /// The folder that holds `path`.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func open(_ kind: __socket_type) throws(SystemError) -> Descriptor {
        let flags = CInt(kind.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let socket = Glibc.socket(AF_UNIX, flags, 0)
        guard socket >= 0 else { throw SystemError("socket AF_UNIX") }
        return Descriptor(adopting: socket)
    }

    /// Makes the folder, or checks that nobody but us can reach into it.
    ///
    /// - Throws: EPERM where others can.
    package static func secure(_ folder: String) throws(SystemError) {
        if mkdir(folder, 0o700) == 0 { return }
        guard errno == EEXIST else { throw SystemError("mkdir", on: folder) }
        var status = stat()
        guard lstat(folder, &status) == 0 else { throw SystemError("lstat", on: folder) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw SystemError("mkdir", ENOTDIR, on: folder) }
        guard status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else { throw SystemError("mkdir", EPERM, on: folder) }
    }

    private static func withAddress(_ path: String, _ call: (UnsafePointer<sockaddr>, socklen_t) -> CInt) throws(SystemError) -> CInt {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        guard bytes.count <= longestPath, !bytes.isEmpty else {
            throw SystemError("socket path", ENAMETOOLONG, on: path)
        }
        // An abstract name is its exact bytes; a path ends with a zero, which is there already (unix(7)).
        let isAbstract = bytes[0] == UInt8(ascii: "@")
        if isAbstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = isAbstract ? MemoryLayout<sa_family_t>.size + bytes.count : MemoryLayout<sockaddr_un>.size
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, socklen_t(length)) }
        }
    }
}
