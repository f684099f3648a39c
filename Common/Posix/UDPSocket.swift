import CPosix
import Glibc

/// A bound UDP socket, non-blocking and closed on exec; open until the last reference goes.
///
/// All calls are system calls on one descriptor and may come from any thread.
package final class UDPSocket: Sendable {
    private let owner: Descriptor
    /// With the port the kernel chose where 0 was asked for.
    package let localAddress: SocketAddress

    /// To watch on a loop or to hand to a library that only borrows it.
    package var descriptor: CInt { owner.raw }

    /// - Parameters:
    ///   - device: the interface the socket is pinned to before it is bound.
    ///   - buffers: bytes of kernel buffer asked for in each direction; the kernel gives at most net.core.[rw]mem_max.
    /// - Throws: `SystemError`; nothing stays open then.
    package init(binding address: SocketAddress, device: String? = nil, buffers: Int = 0) throws {
        let type = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let raw = socket(address.family == .ipv4 ? AF_INET : AF_INET6, type, 0)
        guard raw >= 0 else { throw SystemError("socket", on: "\(address)") }
        let owner = Descriptor(adopting: raw)
        if address.family == .ipv6 { StreamSocket.set(raw, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        if buffers > 0 {
            StreamSocket.set(raw, SOL_SOCKET, SO_RCVBUF, CInt(clamping: buffers))
            StreamSocket.set(raw, SOL_SOCKET, SO_SNDBUF, CInt(clamping: buffers))
        }
        if let device { try StreamSocket.bind(raw, toDevice: device) }
        guard address.withSockaddr({ Glibc.bind(raw, $0, $1) }) == 0 else { throw SystemError("bind", on: "\(address)") }
        guard let bound = StreamSocket.localAddress(raw) else { throw SystemError("getsockname", on: "\(address)") }
        self.owner = owner
        localAddress = bound
    }

    /// Traffic uses this interface only from now on. If it throws, let the socket go: else traffic leaves by the default route.
    package func bindToDevice(_ name: String) throws { try StreamSocket.bind(descriptor, toDevice: name) }

    /// Sends and receives with this peer only; errors of the path (ICMP) are then reported by `send`.
    package func connect(to address: SocketAddress) throws {
        guard address.withSockaddr({ Glibc.connect(descriptor, $0, $1) }) == 0 else { throw SystemError("connect", on: "\(address)") }
    }

    /// Takes what waits, at most the batch's capacity; returns how many datagrams are in the batch now, 0 where none waits.
    package func receive(_ batch: DatagramBatch) throws -> Int {
        batch.count = 0
        batch.receivedAt = nil
        let count = cposix_receive_batch(
            descriptor, batch.bytes, batch.size, batch.addresses, batch.locals, batch.stamps, batch.lengths, CInt(batch.capacity))
        if count >= 0 {
            batch.count = Int(count)
        } else if errno != EAGAIN && errno != EINTR {
            throw SystemError("recvmmsg", on: "\(localAddress)")
        }
        return batch.count
    }

    /// Sends one datagram: to `peer`, or where the socket is connected to without one.
    /// - Returns: false where the kernel's buffer is full: the datagram is gone.
    @discardableResult
    package func send(_ bytes: UnsafeRawBufferPointer, to peer: SocketAddress? = nil) throws -> Bool {
        let sent =
            peer.map { $0.withSockaddr { sendto(descriptor, bytes.baseAddress, bytes.count, 0, $0, $1) } }
            ?? Glibc.send(descriptor, bytes.baseAddress, bytes.count, 0)
        if sent >= 0 { return true }
        if errno == EAGAIN || errno == ENOBUFS { return false }
        throw SystemError("sendto", on: peer.map { "\($0)" } ?? "\(localAddress)")
    }

    /// Sends datagrams of one size in one call (UDP_SEGMENT, udp(7); Linux 4.18): `bytes` has them one after the other, at most 64, each of
    /// `segment` bytes, the last at most as large. They leave as if each had been sent.
    /// - Returns: false where the kernel's buffer is full: all of them are gone.
    /// - Throws: `SystemError`; EINVAL, EIO or EMSGSIZE where the route cannot have it, and each could go by itself.
    package func send(_ bytes: UnsafeRawBufferPointer, segment: Int, to peer: SocketAddress) throws -> Bool {
        let sent = peer.withSockaddr {
            cposix_send_segments(descriptor, bytes.baseAddress, bytes.count, UInt16(clamping: segment), $0, $1)
        }
        if sent >= 0 { return true }
        if errno == EAGAIN || errno == ENOBUFS { return false }
        throw SystemError("sendmsg", on: "\(peer)")
    }

    /// Datagrams leave whole or not at all, whatever the kernel believes of the path: for proving what it carries.
    ///
    /// What is larger than the interface's own MTU throws EMSGSIZE.
    package func forbidFragments() {
        // IP_PMTUDISC_PROBE and IPV6_PMTUDISC_PROBE: ip(7), ipv6(7).
        if localAddress.family == .ipv4 {
            StreamSocket.set(descriptor, CInt(IPPROTO_IP), IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
        } else {
            StreamSocket.set(descriptor, CInt(IPPROTO_IPV6), IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE)
        }
    }

    /// Datagrams come with the address that they were sent to (`DatagramBatch.destination`): of use on 0.0.0.0 and ::.
    package func wantDestinations() throws {
        let family = localAddress.family == .ipv4 ? AF_INET : AF_INET6
        guard cposix_want_local_address(descriptor, family) == 0 else { throw SystemError("setsockopt", on: "\(localAddress)") }
    }

    /// Datagrams come with the time at which the kernel took them (`DatagramBatch.arrival`), however late they are read.
    package func wantArrivalTimes() throws {
        guard cposix_want_stamps(descriptor) == 0 else { throw SystemError("setsockopt", on: "\(localAddress)") }
    }

    /// What the path says (ICMP) of datagrams that left is told although the socket is connected to nobody: as `Readiness.error`, by the next call,
    /// which does nothing else then, and by `takePathError`, which has to be called for the readiness to go.
    package func wantPathErrors() throws {
        let family = localAddress.family == .ipv4 ? AF_INET : AF_INET6
        guard cposix_want_path_errors(descriptor, family) == 0 else { throw SystemError("setsockopt", on: "\(localAddress)") }
    }

    /// The last that the path has said since this was asked before. Anybody on the path can say it: it is for words, never for a decision.
    package func takePathError() -> SystemError? {
        let code = cposix_take_path_errors(descriptor)
        return code == 0 ? nil : SystemError("sendto", code, on: "\(localAddress)")
    }

    /// Sends one datagram from one of this machine's addresses, whatever the route would choose. As `send(_:to:)`.
    @discardableResult
    package func send(_ bytes: UnsafeRawBufferPointer, to peer: SocketAddress, from local: SocketAddress) throws -> Bool {
        let sent = peer.withSockaddr { peer, length in
            local.withSockaddr { local, _ in cposix_send_from(descriptor, bytes.baseAddress, bytes.count, peer, length, local) }
        }
        if sent >= 0 { return true }
        if errno == EAGAIN || errno == ENOBUFS { return false }
        throw SystemError("sendmsg", on: "\(peer)")
    }

    @discardableResult
    package func send(_ bytes: [UInt8], to peer: SocketAddress? = nil) throws -> Bool {
        try bytes.withUnsafeBytes { try send($0, to: peer) }
    }
}

/// Buffers for datagrams that arrive together; made once and used again. One thread at a time.
package final class DatagramBatch {
    package let capacity: Int
    let size: Int
    let bytes: UnsafeMutablePointer<UInt8>
    let addresses: UnsafeMutablePointer<UInt8>
    let locals: UnsafeMutablePointer<UInt8>
    let stamps: UnsafeMutablePointer<Int64>
    let lengths: UnsafeMutablePointer<UInt32>
    package fileprivate(set) var count = 0
    /// The time of the first question for an arrival, and how far the wall clock was from it then.
    fileprivate var receivedAt: ClockPair?

    private static let addressSize = MemoryLayout<sockaddr_in6>.size

    /// - Parameters:
    ///   - capacity: datagrams, at most 64.
    ///   - size: bytes kept of each; what is longer is cut.
    package init(capacity: Int = 32, size: Int = 2048) {
        precondition((1...64).contains(capacity) && size > 0, "the C function has room for 64 messages")
        self.capacity = capacity
        self.size = size
        bytes = .allocate(capacity: capacity * size)
        addresses = .allocate(capacity: capacity * DatagramBatch.addressSize)
        locals = .allocate(capacity: capacity * DatagramBatch.addressSize)
        lengths = .allocate(capacity: capacity)
        stamps = .allocate(capacity: capacity)
        addresses.initialize(repeating: 0, count: capacity * DatagramBatch.addressSize)
        locals.initialize(repeating: 0, count: capacity * DatagramBatch.addressSize)
        lengths.initialize(repeating: 0, count: capacity)
        stamps.initialize(repeating: 0, count: capacity)
    }

    deinit {
        bytes.deallocate()
        addresses.deallocate()
        locals.deallocate()
        stamps.deallocate()
        lengths.deallocate()
    }

    /// The datagram, valid until the next `receive`.
    package subscript(index: Int) -> UnsafeRawBufferPointer {
        precondition(index < count, "only received datagrams are read")
        return UnsafeRawBufferPointer(start: bytes + index * size, count: min(Int(lengths[index]), size))
    }

    /// Where the datagram came from.
    package func source(_ index: Int) -> SocketAddress? {
        precondition(index < count, "only received datagrams are read")
        let start = addresses + index * DatagramBatch.addressSize
        return SocketAddress(sockaddr: UnsafeRawBufferPointer(start: start, count: DatagramBatch.addressSize))
    }

    /// The address it was sent to, with port 0; nil without `wantDestinations`.
    package func destination(_ index: Int) -> SocketAddress? {
        precondition(index < count, "only received datagrams are read")
        let start = locals + index * DatagramBatch.addressSize
        return SocketAddress(sockaddr: UnsafeRawBufferPointer(start: start, count: DatagramBatch.addressSize))
    }

    /// When the kernel took the datagram; the time of this question without `wantArrivalTimes`.
    package func arrival(_ index: Int) -> Instant {
        precondition(index < count, "only received datagrams are read")
        let read = receivedAt ?? ClockPair()
        receivedAt = read
        guard stamps[index] > 0 else { return read.now }
        // The kernel stamps with the wall clock: one that was set meanwhile says nothing.
        let age = read.wall - stamps[index]
        return (0..<1_000_000_000).contains(age) ? Instant(nanoseconds: read.now.nanoseconds - age) : read.now
    }
}
