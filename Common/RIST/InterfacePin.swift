import Glibc
import Posix

/// Finds the socket that a call of librist opens, and binds it to an interface before the first packet.
///
/// librist 0.2.7 has no way to choose the interface of a unicast peer (`miface` sets IP_MULTICAST_IF only) and does not
/// give its socket away, so the descriptors before and during the call are compared. Its sending thread uses the socket as
/// soon as the peer is complete: bound after the call, four packets had left by the default route each time. But librist
/// logs between opening the socket and that, on the calling thread, and from there it is bound.
struct InterfacePin {
    private let interface: String
    private let family: SocketAddress.Family
    private let thread = pthread_self()
    private let before: Set<CInt>
    private(set) var outcome = Outcome.notFound

    enum Outcome {
        case bound
        /// Exactly one new socket was not seen.
        case notFound
        case failed(SystemError)
    }

    /// Just before the call, on the thread that makes it.
    private init(_ interface: String, family: SocketAddress.Family) throws(SystemError) {
        self.interface = interface
        self.family = family
        before = try Self.openDescriptors()
    }

    /// The pin of the call that runs; one at a time in the process, as the comparison of descriptors needs it.
    private static let current = Guarded<InterfacePin?>(nil)
    private static let turn = Guarded(())

    /// Runs a call of librist that opens one socket, and binds that to an interface.
    ///
    /// - Returns: what the call gave, and what became of the socket.
    static func during<Value>(
        _ interface: String, family: SocketAddress.Family, _ call: () -> Value
    ) -> Result<(Value, Outcome), SystemError> {
        turn.withLock { _ in
            do throws(SystemError) {
                let pin = try InterfacePin(interface, family: family)
                current.withLock { $0 = pin }
            } catch { return .failure(error) }
            let value = call()
            look()
            let outcome = current.withLock { pin in
                defer { pin = nil }
                return pin?.outcome ?? .notFound
            }
            return .success((value, outcome))
        }
    }

    /// From within the call, on any thread: librist has logged a line.
    static func look() { current.withLock { $0?.look() } }

    /// From within the call or just after it. Other threads are ignored.
    private mutating func look() {
        guard case .notFound = outcome, pthread_equal(thread, pthread_self()) != 0 else { return }
        do throws(SystemError) {
            guard let socket = try Self.newSocket(since: before, family: family) else { return }
            try Self.bind(socket, to: interface)
            outcome = .bound
        } catch { outcome = .failed(error) }
    }

    /// The open descriptors of this process.
    private static func openDescriptors() throws(SystemError) -> Set<CInt> {
        guard let folder = opendir("/proc/self/fd") else { throw SystemError("opendir", on: "/proc/self/fd") }
        defer { closedir(folder) }
        let own = dirfd(folder)
        var descriptors: Set<CInt> = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let number = CInt(name), number != own { descriptors.insert(number) }
        }
        return descriptors
    }

    /// The one UDP socket among the descriptors that were opened since `before`; nil where it is not exactly one.
    ///
    /// Other threads may open descriptors meanwhile: a connected socket, or one of another type or family, is not librist's.
    private static func newSocket(since before: Set<CInt>, family: SocketAddress.Family) throws(SystemError) -> CInt? {
        let candidates = try openDescriptors().subtracting(before).filter { isUnconnectedUDP($0, family: family) }
        return candidates.count == 1 ? candidates.first : nil
    }

    private static func isUnconnectedUDP(_ descriptor: CInt, family: SocketAddress.Family) -> Bool {
        let wanted = family == .ipv4 ? AF_INET : AF_INET6
        guard option(descriptor, SO_TYPE) == CInt(SOCK_DGRAM.rawValue), option(descriptor, SO_DOMAIN) == wanted,
            option(descriptor, SO_PROTOCOL) == CInt(IPPROTO_UDP)
        else { return false }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) } != 0
        }
    }

    private static func option(_ descriptor: CInt, _ name: CInt) -> CInt? {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }

    /// SO_BINDTODEVICE; needs no capability on a socket that is not bound to another (Linux 5.7).
    private static func bind(_ descriptor: CInt, to interface: String) throws(SystemError) {
        let name = Array(interface.utf8)
        guard setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(name.count)) == 0 else {
            throw SystemError("setsockopt SO_BINDTODEVICE", on: interface)
        }
    }
}
